#include "checkpoint/attempt.h"

#include "core/error.h"

namespace facemae {

std::string attempt(Control& control, const std::function<void()>& work) {
  std::string failure;
  try {
    work();
  } catch (const PeerLost&) {
    throw;  // nobody is left to agree with
  } catch (const std::exception& error) {
    failure = error.what();
    if (failure.empty()) failure = "unknown failure";
  }
  if (control.all_agree(failure.empty())) return "";
  const auto failures = control.gather(failure);
  std::string all;
  for (std::size_t rank = 0; rank < failures.size(); ++rank)
    if (!failures[rank].empty())
      all += (all.empty() ? "rank " : "; rank ") + std::to_string(rank) + ": " + failures[rank];
  return control.broadcast(all);
}

}  // namespace facemae
