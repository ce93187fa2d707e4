#include "checkpoint/format/patient_read.h"

#include <thread>

#include "core/log.h"

namespace facemae {

void patiently(const std::function<void()>& read, std::chrono::milliseconds pause) {
  constexpr int kTries = 4;
  for (int tried = 1;; ++tried, pause *= 2) {
    try {
      return read();
    } catch (const FileError& error) {
      if (!error.may_pass()) throw CheckpointError(error.what());
      if (tried == kTries) throw UnreadableCheckpoint(error.what());
      spdlog::warn("{}; retrying in {} ms", error.what(), pause.count());
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace facemae
