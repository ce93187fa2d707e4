#include "core/files/array.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/error.h"

namespace facemae {
namespace {

/// What ENOMEM means for a file that is mapped, which takes no memory.
constexpr const char* kTooManyMaps =
    "; this process may have no more mappings or address space: raise vm.max_map_count "
    "(`sysctl -w vm.max_map_count=262144`) or `ulimit -v`, or make stores of fewer, larger files (--shard-mib)";

std::uint64_t page_bytes() {
  static const auto bytes = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

}  // namespace

std::shared_ptr<const std::byte> map_file(const Path& path, std::uint64_t offset, std::uint64_t bytes) {
  if (bytes == 0) return nullptr;
  const auto fail = [&](const std::string& what, int code) {
    throw FileError("mapping " + std::to_string(bytes) + " bytes at " + std::to_string(offset) + " of " +
                        path.string() + " into memory: " + what,
                    code);
  };
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail(std::strerror(errno), errno);
  struct stat info {};
  const bool known = ::fstat(descriptor, &info) == 0;
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (!known || offset > size || bytes > size - offset) {
    ::close(descriptor);
    fail("the file is too short for that", EIO);
  }
  const std::uint64_t first = offset / page_bytes() * page_bytes(), length = offset + bytes - first;
  void* mapped = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, descriptor, static_cast<off_t>(first));
  const int code = errno;
  ::close(descriptor);
  if (mapped == MAP_FAILED) fail(std::strerror(code) + std::string(code == ENOMEM ? kTooManyMaps : ""), code);
  const std::shared_ptr<void> owner(mapped, [length](void* at) { ::munmap(at, length); });
  return {owner, static_cast<const std::byte*>(mapped) + (offset - first)};
}

void drop_pages_of_mapping(Bytes mapped) noexcept {
  const auto into_page = reinterpret_cast<std::uintptr_t>(mapped.data()) % page_bytes();
  auto* page = const_cast<std::byte*>(mapped.data()) - into_page;
  ::madvise(page, mapped.size() + into_page, MADV_DONTNEED);
}

}  // namespace facemae
