#pragma once
// A deadline for foreign calls that have none and cannot be failed: MPI_Init, MPI_Finalize, a file system
// that does not answer.
#include <chrono>
#include <functional>
#include <thread>

namespace facemae {

/// Calls `late` from a thread of its own when it still exists after `limit`. The thread that is stuck cannot
/// be freed: `late` usually ends the process.
class CallLimit {
 public:
  CallLimit(std::chrono::milliseconds limit, std::function<void()> late);
  ~CallLimit() = default;  ///< joins: `late` is not running any more
  CallLimit(const CallLimit&) = delete;
  CallLimit& operator=(const CallLimit&) = delete;

 private:
  std::jthread thread_;
};

}  // namespace facemae
