// The program around one target: writes the seeds, or lets libFuzzer run it and watches single allocations.
#include "tests/fuzz/target.h"

#include <sanitizer/allocator_interface.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "core/error.h"
#include "core/log.h"

namespace facemae::fuzz {
namespace {

thread_local std::size_t largest_allocation = 0;  // 0: not watched

void watch(const volatile void*, std::size_t bytes) {
  if (largest_allocation == 0 || bytes <= largest_allocation) return;
  std::fprintf(stderr, "fuzz: one allocation of %zu bytes, the input justifies %zu\n", bytes,
               largest_allocation);
  std::abort();
}
void ignore(const volatile void*) {}

void parse_watched(std::string_view input) {
  struct Watch {
    explicit Watch(std::size_t bytes) { largest_allocation = justified_allocation(bytes); }
    ~Watch() { largest_allocation = 0; }
  };
  try {
    const Watch watched(input.size());
    parse(input);
  } catch (const Error&) {  // refused, as it should be
  }
}

int write_seeds(const Path& folder) {
  int number = 0;
  for (const std::string& seed : seeds()) {
    try {
      parse(seed);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "fuzz: seed %d is refused: %s\n", number, error.what());
      return 1;
    }
    const Path path = folder / std::to_string(number++);
    std::ofstream(path, std::ios::binary) << seed;
  }
  return number > 0 ? 0 : 1;
}

}  // namespace

// A value of a few bytes of text takes up to about 100 bytes in memory, and a growing vector doubles.
[[gnu::weak]] std::size_t justified_allocation(std::size_t input_bytes) {
  return (1 << 16) + 256 * input_bytes;
}

const Path& InputPath::holding(std::string_view bytes) {
  std::ofstream file(path_, std::ios::binary | std::ios::trunc);
  if (!(file << bytes).flush()) throw std::runtime_error("an input could not be written");
  return path_;
}

void require(bool fine, const char* what) {
  if (!fine) throw std::logic_error(what);
}

}  // namespace facemae::fuzz

extern "C" int LLVMFuzzerInitialize(int* count, char*** words) {
  if (*count == 3 && std::string_view((*words)[1]) == "--seeds")
    std::_Exit(facemae::fuzz::write_seeds((*words)[2]));
  spdlog::set_level(spdlog::level::off);
  __sanitizer_install_malloc_and_free_hooks(facemae::fuzz::watch, facemae::fuzz::ignore);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  facemae::fuzz::parse_watched({reinterpret_cast<const char*>(data), size});
  return 0;
}
