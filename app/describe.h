#pragma once
// Results of commands as JSON, for --json.
#include <nlohmann/json.hpp>

#include "cluster/world/world.h"
#include "data/pack/pack.h"
#include "evaluation/verification/verification.h"
#include "trainer/config/run_config.h"
#include "trainer/files/run_folder.h"

namespace facemae {

nlohmann::ordered_json describe(const PackResult& result);
nlohmann::ordered_json describe(const Outcome& outcome);
nlohmann::ordered_json describe(const Verification& result);
/// What a training configuration says about the machine.
WorldConfig world_config(const RunConfig& config);

}  // namespace facemae
