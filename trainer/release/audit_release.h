#pragma once
// The audit of a rebuilt store against the real one, from stores and weights to report files: what
// `facemae audit` does.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cluster/world/world.h"
#include "evaluation/report/report.h"
#include "trainer/attacks/trained_attackers.h"
#include "trainer/insiders/further_attacks.h"

namespace facemae {

/// As the options of the command say.
struct AuditConfig {
  std::string real, released, link, report, pictures = "released";
  std::string note;
  std::vector<std::string> embedders, utility;
  std::vector<std::string> embeddings;  ///< NAME=REAL.npy,RELEASED.npy
  bool only_embeddings = false;
  std::string attacks = "standard";  ///< quick, standard, all, or ids with commas
  /// A release of other people, made alike, with its source and private folder: what attackers learn from. All or
  /// none; without them, half of the release teaches, the other half is tested, both ways.
  std::string attacker_store, attacker_released, attacker_link;
  std::string distractors;         ///< store of people who were never released
  std::string pairs = "100,500";   ///< learning curve: numbers of pairs before all of them
  std::int64_t max_probes = 2000;  ///< of adaptive attackers: whole classes, together not above it
  TrainedAttackerConfig trained;   ///< A4 to A9; folder and seed are the audit's
  FurtherAttacks further;          ///< A8, A11 to A13; distractors are the audit's
  std::uint64_t seed = 0;
};

/// Throws ConfigError for attacks and numbers of pairs that there are not, before anything is read.
void check_attacks(const AuditConfig& config);

/// All ranks: attackers that train do so on all of them, everything else is computed on each. Rank 0 writes report.html
/// and report.json into config.report, readable by others unless they show real faces. `claim` is called on rank 0 once
/// that folder is there and before anything is written into it: it takes the place for this process. Throws ConfigError
/// when stores and link do not belong together.
Report audit_release(const AuditConfig& config, World& world, const std::function<void()>& claim);

/// The same with the attacks of config.embeddings alone, which read no picture: on any number of ranks, for stores of any
/// size. All ranks; the report is rank 0's, who claims and writes.
Report audit_by_embeddings(const AuditConfig& config, Control& control, const std::function<void()>& claim);

}  // namespace facemae
