#pragma once
// One figure that `facemae doctor --measure` took.

#include <string>

namespace facemae {

/// A measured value. `expected` is 0 where nothing is known to compare with; the judgement is then relative, and `text`
/// says so.
struct Measured {
  std::string id;    // net.allreduce.all, fs.write
  double value = 0;  // in `unit`
  std::string unit;  // GB/s, ms, images/s
  std::string of;    // what exactly: 25 MiB, n1 to n3
  double expected = 0;
  std::string text;  // a sentence for the reader; empty: the value says all
};

}  // namespace facemae
