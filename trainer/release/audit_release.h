#pragma once
// The audit of a rebuilt store against the real one, from stores and weights to report files: what
// `facemae audit` does.
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "evaluation/report/report.h"

namespace facemae {

/// As the options of the command say.
struct AuditConfig {
  std::string real, released, link, report, pictures = "released";
  std::string note;
  std::vector<std::string> embedders, utility;
  std::int64_t max_probes = 2000;
  std::uint64_t seed = 0;
};

/// One process. Writes report.html and report.json into config.report, readable by others unless they show real
/// faces. `claim` is called once that folder is there and before anything is written into it: it takes the place
/// for this process. Throws ConfigError when stores and link do not belong together.
Report audit_release(const AuditConfig& config, torch::Device device, const std::function<void()>& claim);

}  // namespace facemae
