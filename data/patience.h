#pragma once
// Reading from storage that fails for a moment: a server that restarts, a lost connection,
// too many open files.
#include <algorithm>
#include <chrono>
#include <string>
#include <thread>

#include "core/error.h"
#include "core/log.h"
#include "data/shard_reader.h"

namespace facemae {

/// What `read` returns. A FileError that may pass is waited for, with growing pauses, as long as the policy
/// says; the last one is thrown, and at once what no waiting cures.
template <class Read>
auto patiently(const ReadPolicy& policy, const std::string& doing, Read&& read) -> decltype(read()) {
  const auto end = std::chrono::steady_clock::now() + policy.give_up_after;
  for (auto pause = policy.first_pause;; pause = std::min(2 * pause, policy.longest_pause)) {
    try {
      return read();
    } catch (const FileError& error) {
      if (!error.may_pass() || std::chrono::steady_clock::now() + pause > end) throw;
      spdlog::warn("{}: {}; trying again in {} ms", doing, error.what(), pause.count());
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace facemae
