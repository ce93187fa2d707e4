#pragma once
// Named points at which a test can kill, stop, stall or fail this
// process (docs/CONTRIBUTING.md, "Failpoints").
#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace facemae {

/// Does here what the environment variable FACEMAE_FAILPOINT says for `name`, nothing when it says nothing.
/// The variable is read once; unset, a point costs a load and a branch. Any thread. Throws Error for the
/// action `throw`, ConfigError when the variable is no list of rules.
void failpoint(std::string_view name);

enum class FailAction {
  Kill,   ///< SIGKILL to this process
  Stop,   ///< SIGSTOP to this process; SIGCONT lets it go on
  Stall,  ///< this thread sleeps for ever
  Pause,  ///< this thread sleeps for ten seconds, as if it computed for so long
  Throw   ///< Error
};

/// The rules `name[@rank][#count]=action`, separated by commas, that concern this rank. A rule fires once,
/// when its point is passed for the count-th time (1 unless given).
class Failpoints {
 public:
  Failpoints(std::string_view text, int rank);  ///< throws ConfigError
  bool empty() const noexcept { return rules_.empty(); }
  /// Counts one passage; returns what is due. Any thread.
  std::optional<FailAction> pass(std::string_view name);

 private:
  struct Rule {
    std::string name;
    std::uint64_t count;
    FailAction action;
    std::atomic<std::uint64_t> passed{0};
  };
  std::deque<Rule> rules_;  // a deque, because atomics do not move
};

}  // namespace facemae
