#pragma once
// Work that may fail on one rank, with all ranks learning of it: before training they fail together and in order,
// during it they go on together.
#include <functional>
#include <string>
#include <vector>

#include "cluster/host/control.h"
#include "core/error.h"

namespace facemae {

/// Which hosts are at fault for a failure, and how that is known. A supervisor may leave them out.
struct Blame {
  std::vector<std::string> hosts;
  /// "replica" or "device": hard evidence; "hang" (a rank that reported keeps the others waiting) or "peer" (one that left
  /// no report): soft.
  std::string evidence;
};

/// The host of every rank. All ranks.
std::vector<std::string> hosts_of_ranks(Control& control);

/// A failure that all ranks know of: the program may end in order, with rank 0 returning the code.
class AgreedError : public Error {
 public:
  AgreedError(const std::string& what, ExitCode code, std::string kind,
              std::source_location at = std::source_location::current())
      : Error(what, at), code_(code), kind_(std::move(kind)), place_(Error::place()) {}
  /// The same of the rank that failed first.
  AgreedError(const std::string& what, ExitCode code, std::string kind, std::string place)
      : Error(what), code_(code), kind_(std::move(kind)), place_(std::move(place)) {}
  /// One of our errors that every rank raises alike: its message, code and kind.
  explicit AgreedError(const Error& known)
      : Error(known), code_(exit_code_for(known)), kind_(kind_of(known)), place_(known.place()) {}
  ExitCode code() const noexcept { return code_; }
  const std::string& kind() const noexcept { return kind_; }
  const Blame& blame() const noexcept { return blame_; }
  AgreedError& blaming(Blame blame) {
    blame_ = std::move(blame);
    return *this;
  }
  std::string place() const override { return place_; }

 private:
  ExitCode code_;
  std::string kind_, place_;
  Blame blame_;
};

/// Runs `work` on this rank and then votes: when it threw on any rank, every rank throws an
/// AgreedError with the message, code and kind of the lowest such rank. All ranks, same order; `work`
/// itself must not communicate.
void together(Control& control, const std::function<void()>& work);

/// For work that may fail on one rank without ending the run. Runs `work` on this rank; returns "" when it
/// succeeded on every rank, else all failures in one text, the same on every rank. All ranks, same order;
/// `work` must not communicate.
std::string attempt(Control& control, const std::function<void()>& work);

}  // namespace facemae
