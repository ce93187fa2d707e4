#include "trainer/run/run_state.h"

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace facemae {

std::string RunState::to_json() const {
  auto entries = nlohmann::json::array();
  for (const auto& [shard, from] : quarantine) entries.push_back({{"shard", shard}, {"from_ordinal", from}});
  nlohmann::json json{{"skipped", skipped},
                      {"skipped_in_row", skipped_in_row},
                      {"automatic_weight", automatic_weight},
                      {"quarantine", entries}};
  if (linkage_weight != 0) json["linkage_weight"] = linkage_weight;
  return json.dump();
}

RunState RunState::from_json(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object())
    throw CheckpointError("the run state of the checkpoint is not a JSON object: " + text);
  try {
    RunState state{.skipped = json.at("skipped"),
                   .skipped_in_row = json.at("skipped_in_row"),
                   .automatic_weight = json.at("automatic_weight"),
                   .linkage_weight = json.value("linkage_weight", 0.0)};
    for (const auto& entry : json.at("quarantine"))
      state.quarantine.push_back({.shard = entry.at("shard"), .from_ordinal = entry.at("from_ordinal")});
    return state;
  } catch (const nlohmann::json::exception& error) {
    throw CheckpointError("the run state of the checkpoint lacks a field: " + std::string(error.what()));
  }
}

}  // namespace facemae
