#pragma once
// Names points at which a test can kill, stop, stall or fail this
// process (docs/CONTRIBUTING.md, "Failpoints").
#include <atomic>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace facemae {

/// Does here what the environment variable FACEMAE_FAILPOINT says for `name`, or nothing if it does not
/// mention it. The variable is read once; if it is unset, a point costs a load and a branch. Any thread.
/// Throws Error for the action `throw`, ConfigError if the variable is not a list of rules.
void failpoint(std::string_view name);

enum class FailAction {
  Kill,   ///< SIGKILL to this process
  Stop,   ///< SIGSTOP to this process; SIGCONT lets it continue
  Stall,  ///< this thread sleeps for ever
  Pause,  ///< this thread sleeps for ten seconds, as if it were computing
  Throw   ///< Error
};

/// The rules `name[@rank][#count]=action`, separated by commas, that apply to this rank. A rule fires once,
/// when its point is passed for the count-th time (1 unless given).
class Failpoints {
 public:
  Failpoints(std::string_view text, int rank);  ///< throws ConfigError
  bool empty() const noexcept { return rules_.empty(); }
  /// Counts one passage and returns the action that is due, if any. Any thread.
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
