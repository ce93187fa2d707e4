#pragma once
// Retries reads from storage that fails only for a moment: a server that restarts,
// a lost connection, or too many open files.
#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/log.h"

namespace facemae {

/// How long a read is retried before it counts as failed.
struct ReadPolicy {
  std::chrono::milliseconds first_pause{100};  ///< before the second try; doubles with each retry
  std::chrono::milliseconds longest_pause{5000};
  std::chrono::milliseconds give_up_after{30000};  ///< in total, with pauses
  std::chrono::milliseconds slow_after{2000};      ///< a single read that takes longer is counted and logged
  /// Shards without which a store is opened when they are missing or damaged: reading them throws
  /// ShardUnreadable. They are in quarantine.
  std::vector<std::size_t> lost = {};
  bool may_be_lost(std::size_t shard) const {
    return std::find(lost.begin(), lost.end(), shard) != lost.end();
  }
};

/// Returns what `read` returns. After a FileError that may pass it retries, with growing pauses, for as long
/// as the policy says, and then throws the last one; an error that no waiting cures is thrown at once.
template <class Read>
auto patiently(const ReadPolicy& policy, const std::string& doing, Read&& read) -> decltype(read()) {
  const auto end = std::chrono::steady_clock::now() + policy.give_up_after;
  for (auto pause = policy.first_pause;; pause = std::min(2 * pause, policy.longest_pause)) {
    try {
      return read();
    } catch (const FileError& error) {
      if (!error.may_pass() || std::chrono::steady_clock::now() + pause > end) throw;
      spdlog::warn("{}: {}; retrying in {} ms", doing, error.what(), pause.count());
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace facemae
