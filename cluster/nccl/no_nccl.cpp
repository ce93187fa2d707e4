// In the place of NCCL where it is not built.
#include "cluster/nccl/nccl_back_end.h"
#include "core/error.h"

namespace facemae {

BackEnd nccl_back_end() {
  return {.carrier = nccl_carrier(),
          .built = false,
          .version = [] { return "NCCL: not built"; },
          .open = [](Control&, const LinkOptions&) -> std::unique_ptr<Link> {
            throw ConfigError("--backend nccl: the program was built without NCCL");
          }};
}

}  // namespace facemae
