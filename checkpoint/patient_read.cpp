#include "checkpoint/patient_read.h"

#include <cerrno>
#include <thread>

#include "core/log.h"

namespace facemae {
namespace {

bool may_pass(int code) {
  switch (code) {
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ELOOP:
    case EACCES:
    case EPERM:
      return false;
    default:
      return true;
  }
}

}  // namespace

void patiently(const std::function<void()>& read, std::chrono::milliseconds pause) {
  constexpr int kTries = 4;
  for (int tried = 1;; ++tried, pause *= 2) {
    try {
      return read();
    } catch (const FileError& error) {
      if (!may_pass(error.code())) throw CheckpointError(error.what());
      if (tried == kTries) throw UnreadableCheckpoint(error.what());
      spdlog::warn("{}; asked again in {} ms", error.what(), pause.count());
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace facemae
