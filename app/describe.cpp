#include "app/describe.h"

namespace facemae {

nlohmann::ordered_json describe(const PackResult& result) {
  return {{"images", result.images},
          {"identities", result.identities},
          {"bytes", result.bytes},
          {"bytes_mean",
           result.images == 0 ? 0.0 : static_cast<double>(result.bytes) / static_cast<double>(result.images)},
          {"bytes_min", result.smallest},
          {"bytes_max", result.largest},
          {"shards", result.shards},
          {"rejects", result.rejects},
          {"rejects_by_reason", result.rejects_by_reason},
          {"duplicates", result.duplicates},
          {"resumed_shards", result.resumed_shards},
          {"resumed_images", result.resumed_images},
          {"seconds", result.seconds}};
}

nlohmann::ordered_json describe(const Outcome& outcome) {
  return {{"start", outcome.start},
          {"code", static_cast<int>(outcome.code)},
          {"kind", outcome.kind},
          {"step", outcome.step},
          {"reason", outcome.reason}};
}

nlohmann::ordered_json describe(const Verification& result) {
  nlohmann::ordered_json rates = nlohmann::ordered_json::array();
  for (const auto& at : result.tar_at_far) rates.push_back({{"far", at.far}, {"tar", at.tar}});
  return {{"accuracy", result.accuracy},
          {"accuracy_std", result.accuracy_std},
          {"threshold", result.threshold},
          {"auc", result.auc},
          {"eer", result.eer},
          {"tar_at_far", rates},
          {"folds", result.folds},
          {"thresholds", result.thresholds}};
}

WorldConfig world_config(const RunConfig& config) {
  return {.backend = config.backend,
          .device = config.exact ? "cpu" : config.device,
          .deadline = std::chrono::milliseconds(static_cast<std::int64_t>(config.peer_deadline * 1000))};
}

}  // namespace facemae
