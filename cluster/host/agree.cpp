#include "cluster/host/agree.h"

namespace facemae {

void together(Control& control, const std::function<void()>& work) {
  std::string failure;  // code, kind and message, separated by line ends
  try {
    work();
  } catch (const AgreedError& error) {
    failure = std::to_string(static_cast<int>(error.code())) + "\n" + error.kind() + "\n" + error.what();
  } catch (const std::exception& error) {
    failure =
        std::to_string(static_cast<int>(exit_code_for(error))) + "\n" + kind_of(error) + "\n" + error.what();
  }
  if (control.all_agree(failure.empty())) return;
  std::string first;
  const auto failures = control.gather(failure);
  for (std::size_t rank = 0; rank < failures.size() && first.empty(); ++rank)
    if (!failures[rank].empty())
      first = failures[rank] + (rank == 0 ? "" : " (rank " + std::to_string(rank) + ")");
  first = control.broadcast(first);
  const auto code_end = first.find('\n'), kind_end = first.find('\n', code_end + 1);
  throw AgreedError(first.substr(kind_end + 1), static_cast<ExitCode>(std::stoi(first.substr(0, code_end))),
                    first.substr(code_end + 1, kind_end - code_end - 1));
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
