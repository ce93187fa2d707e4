#include "cluster/host/call_limit.h"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace facemae {

CallLimit::CallLimit(std::chrono::milliseconds limit, std::function<void()> late)
    : thread_([limit, late = std::move(late)](const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        wake.wait_for(lock, stop, limit, [] { return false; });
        // The wait's own answer is wrong (libstdc++ 12) when the stop comes as it begins.
        if (!stop.stop_requested()) late();
      }) {}

}  // namespace facemae
