#pragma once
// The attackers that learn by training networks: who they are, and what they are made with.
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cluster/world/world.h"
#include "core/files/files.h"
#include "core/options/options.h"
#include "evaluation/attacks/attacker.h"
#include "trainer/attacks/attack_budget.h"

namespace facemae {

struct TrainedAttackerConfig {
  Path folder;  ///< of their runs: REPORT/attackers
  AttackBudget budget;
  std::uint64_t seed = 0;
  std::string
      recogniser;  ///< of A4: RUN, checkpoint or file of a recogniser trained on the release; "": trained here
  std::string teacher;                   ///< of A6: a recogniser; "": trained here on the attacker's photos
  std::string network = "iresnet-tiny";  ///< of recognisers that are trained here
  /// Beside the ones of A7 itself: what looks at inverted pictures, such as the attackers that need no training.
  std::vector<std::function<std::unique_ptr<Attacker>()>> after_inversion = {};
};

/// A row of the table of trained attackers, which is in trained_attackers.cpp.
struct TrainedKind {
  const char* name;  ///< the id of the attack
  const char* help;
  std::vector<std::unique_ptr<Attacker>> (*make)(const TrainedAttackerConfig& config, World& world);
};
std::span<const TrainedKind> trained_kinds();

/// All ranks. The attackers of these ids; one attack may have several. Their members are called by all ranks, in the
/// same order and with the same pictures; every rank gets all that they say. `world` must outlive them. Throws
/// ConfigError for an id that is not in the table, with the nearest one.
std::vector<std::unique_ptr<Attacker>> trained_attackers(const std::vector<std::string>& ids,
                                                         const TrainedAttackerConfig& config, World& world);

/// Declares --recogniser, --teacher, --attack-network and the options of the budget.
void declare(Options& options, TrainedAttackerConfig& config);

}  // namespace facemae
