#pragma once
// One parser under libFuzzer. Each NAME_fuzz.cpp defines the two functions below; target.cpp turns
// them into a program.
#include <string>
#include <string_view>
#include <vector>

#include "core/files/files.h"
#include "tests/temporary_folder.h"

namespace facemae::fuzz {

/// Gives one input to the parser. What the parser refuses it refuses by throwing a facemae::Error; any other
/// exception is a fault, and so is a single allocation larger than what the input could justify.
void parse(std::string_view input);

/// Inputs that parse() must accept, made by our own writers: where the fuzzer starts.
std::vector<std::string> seeds();

/// The largest single allocation that an input of so many bytes justifies: 64 KiB and 256 bytes for each. A
/// target whose library needs tables or buffers of its own defines another one.
std::size_t justified_allocation(std::size_t input_bytes);

/// A file for parsers that take a path, in memory where that is possible; holds one input at a time.
class InputPath {
 public:
  const Path& holding(std::string_view bytes);  ///< the path, after its content became `bytes`

 private:
  test::TemporaryFolder folder_;
  Path path_ = folder_ / "input";
};

/// Throws std::logic_error, which the fuzzer reports, unless `fine`: for what must hold after parsing.
void require(bool fine, const char* what);

}  // namespace facemae::fuzz
