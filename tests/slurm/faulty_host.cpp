// Preloaded into the program, a host of which something is wrong:
//   FAULTY_FSYNC_MS=200   every fsync takes so much longer
//   FAULTY_LOCKS=DIR      locks of files hold among the processes that have the same DIR, which no other host sees
//   FAULTY_CLOCK_S=600    its clock is so far ahead
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <cstdlib>
#include <ctime>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace {

template <class Function>
Function* real(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

long number(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : std::atol(text);
}

/// What is locked in the place of a file: DIR/its inode, as long as the file's descriptor is open.
class Stand {
 public:
  int of(int descriptor, const char* folder) {
    const std::lock_guard lock(mutex_);
    if (const auto known = open_.find(descriptor); known != open_.end()) return known->second;
    struct stat file {};
    if (::fstat(descriptor, &file) != 0) return -1;
    const std::string path = folder + ("/" + std::to_string(file.st_ino));
    return open_[descriptor] = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  }
  /// The descriptor that goes with one that is being closed, or -1.
  int give_up(int descriptor) {
    const std::lock_guard lock(mutex_);
    const auto known = open_.find(descriptor);
    if (known == open_.end()) return -1;
    const int stand = known->second;
    open_.erase(known);
    return stand;
  }

 private:
  std::mutex mutex_;
  std::map<int, int> open_;
};
Stand& stand() {
  static auto* one = new Stand;  // outlives every destructor that closes a file
  return *one;
}

/// The program need not know: it tells of what is preloaded.
const bool forgotten = ::unsetenv("LD_PRELOAD") == 0;

}  // namespace

extern "C" int fsync(int descriptor) {
  std::this_thread::sleep_for(std::chrono::milliseconds(number("FAULTY_FSYNC_MS")));
  return real<int(int)>("fsync")(descriptor);
}

extern "C" int fcntl64(int descriptor, int command, ...) {
  va_list list;
  va_start(list, command);
  void* argument = va_arg(list, void*);
  va_end(list);
  const bool locks = command == F_OFD_SETLK || command == F_OFD_SETLKW || command == F_OFD_GETLK ||
                     command == F_SETLK || command == F_SETLKW || command == F_GETLK;
  const char* folder = std::getenv("FAULTY_LOCKS");
  if (locks && folder != nullptr) descriptor = stand().of(descriptor, folder);
  return real<int(int, int, ...)>("fcntl64")(descriptor, command, argument);
}
extern "C" int fcntl(int descriptor, int command, ...) {
  va_list list;
  va_start(list, command);
  void* argument = va_arg(list, void*);
  va_end(list);
  return ::fcntl64(descriptor, command, argument);
}
extern "C" int close(int descriptor) {
  if (const int other = stand().give_up(descriptor); other >= 0) real<int(int)>("close")(other);
  return real<int(int)>("close")(descriptor);
}

extern "C" int clock_gettime(clockid_t clock, timespec* time) {
  const int result = real<int(clockid_t, timespec*)>("clock_gettime")(clock, time);
  if (clock == CLOCK_REALTIME && result == 0) time->tv_sec += number("FAULTY_CLOCK_S");
  return result;
}
extern "C" time_t time(time_t* out) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (out != nullptr) *out = now.tv_sec;
  return now.tv_sec;
}
