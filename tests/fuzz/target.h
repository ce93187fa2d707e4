#pragma once
// One parser under libFuzzer. Each NAME_fuzz.cpp defines the two functions below; target.cpp turns them into
// a program.
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"

namespace facemae::fuzz {

/// Gives one input to the parser. What the parser refuses it refuses by throwing a facemae::Error; any other
/// exception is a fault, and so is a single allocation larger than what the input could justify.
void parse(std::string_view input);

/// Inputs that parse() must accept, made by our own writers: where the fuzzer starts.
std::vector<std::string> seeds();

/// The largest single allocation that an input of so many bytes justifies: 64 KiB and 256 bytes for each. A target
/// whose library needs tables or buffers of its own defines another one.
std::size_t justified_allocation(std::size_t input_bytes);

/// A file in memory for parsers that take a path; holds one input at a time.
class MemoryFile {
 public:
  MemoryFile();
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  const Path& holding(std::string_view bytes);  ///< the path, after its content became `bytes`

 private:
  int descriptor_;
  Path path_;
};

/// Throws std::logic_error, which the fuzzer reports, unless `fine`: for what must hold after parsing.
void require(bool fine, const char* what);

}  // namespace facemae::fuzz
