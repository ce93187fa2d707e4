// Preloaded into the program: reads of files whose path holds $FAILING_PATH fail with EIO as soon as the
// file $FAILING_WHEN exists.
#include <dlfcn.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

bool fails(int descriptor) {
  const char* path = std::getenv("FAILING_PATH");
  const char* when = std::getenv("FAILING_WHEN");
  if (path == nullptr || when == nullptr || ::access(when, F_OK) != 0) return false;
  char name[4096];
  const auto length =
      ::readlink(("/proc/self/fd/" + std::to_string(descriptor)).c_str(), name, sizeof name - 1);
  if (length <= 0) return false;
  name[length] = '\0';
  return std::strstr(name, path) != nullptr;
}

ssize_t read_or_fail(const char* real, int descriptor, void* out, size_t bytes, off_t offset) {
  if (fails(descriptor)) {
    errno = EIO;
    return -1;
  }
  using Read = ssize_t (*)(int, void*, size_t, off_t);
  return reinterpret_cast<Read>(::dlsym(RTLD_NEXT, real))(descriptor, out, bytes, offset);
}

}  // namespace

extern "C" ssize_t pread(int descriptor, void* out, size_t bytes, off_t offset) {
  return read_or_fail("pread", descriptor, out, bytes, offset);
}
extern "C" ssize_t pread64(int descriptor, void* out, size_t bytes, off64_t offset) {
  return read_or_fail("pread64", descriptor, out, bytes, offset);
}
