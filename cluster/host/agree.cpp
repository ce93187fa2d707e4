#include "cluster/host/agree.h"

#include "cluster/host/gather.h"
#include "core/host.h"

namespace facemae {
namespace {

struct Failure {
  ExitCode code = ExitCode::Done;
  std::string kind, message, place;  // no kind: it did not fail
  std::vector<std::string> hosts;
  std::string evidence;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Failure, code, kind, message, place, hosts, evidence)

}  // namespace

std::vector<std::string> hosts_of_ranks(Control& control) {
  return broadcast(control, gather(control, host_name()));
}

void together(Control& control, const std::function<void()>& work) {
  Failure mine;
  try {
    work();
  } catch (const AgreedError& error) {
    mine = {error.code(),  error.kind(),        error.what(),
            error.place(), error.blame().hosts, error.blame().evidence};
  } catch (const std::exception& error) {
    mine = {.code = exit_code_for(error),
            .kind = kind_of(error),
            .message = error.what(),
            .place = place_of(error)};
  }
  if (control.all_agree(mine.kind.empty())) return;
  Failure first;
  const auto failures = gather(control, mine);
  for (std::size_t rank = 0; rank < failures.size() && first.kind.empty(); ++rank) {
    first = failures[rank];
    if (rank > 0) first.message += " (rank " + std::to_string(rank) + ")";
  }
  first = broadcast(control, first);
  throw AgreedError(first.message, first.code, first.kind, first.place)
      .blaming({first.hosts, first.evidence});
}

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
