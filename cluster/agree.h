#pragma once
// Failing together: work that every rank does before training, so that one rank's failure ends
// all of them in order.
#include <functional>
#include <string>

#include "cluster/control.h"
#include "core/error.h"

namespace facemae {

/// A failure that all ranks know of: the program may end in order, with rank 0 returning the code.
class AgreedError : public Error {
 public:
  AgreedError(const std::string& what, ExitCode code, std::string kind)
      : Error(what), code_(code), kind_(std::move(kind)) {}
  ExitCode code() const noexcept { return code_; }
  const std::string& kind() const noexcept { return kind_; }

 private:
  ExitCode code_;
  std::string kind_;
};

/// Runs `work` on this rank and then votes: when it threw on any rank, every rank throws an
/// AgreedError with the message, code and kind of the lowest such rank. All ranks, same order; `work`
/// itself must not communicate.
void together(Control& control, const std::function<void()>& work);

}  // namespace facemae
