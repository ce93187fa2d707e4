#include "trainer/run/ending.h"

#include <c10/util/Exception.h>

namespace facemae {

Ending ending_of(const std::exception& error) {
  const auto* agreed = dynamic_cast<const AgreedError*>(&error);
  const auto* of_torch =
      dynamic_cast<const c10::Error*>(&error);  // carries a stack trace, which is for a log
  Ending ending{.code = agreed != nullptr ? agreed->code() : exit_code_for(error),
                .kind = agreed != nullptr ? agreed->kind() : kind_of(error),
                .reason = of_torch != nullptr ? of_torch->what_without_backtrace() : error.what(),
                .blame = agreed != nullptr ? agreed->blame() : Blame{},
                .agreed = agreed != nullptr};
  ending.of_storage = ending.kind == "FileError" && ending.code == ExitCode::BadConfiguration;
  if (ending.of_storage) ending.code = ExitCode::Crash;
  ending.lost_peer = !ending.agreed && ending.code == ExitCode::PeerLost;
  return ending;
}

}  // namespace facemae
