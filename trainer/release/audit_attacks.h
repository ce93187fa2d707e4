#pragma once
// Which attackers an audit sends: one row for each, chosen by id or as a set.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "evaluation/attacks/attacker.h"
#include "evaluation/attacks/audit.h"
#include "trainer/release/audit_release.h"

namespace facemae {

/// What attackers are made of.
struct AttackSupplies {
  const AuditConfig& config;
  World& world;
  std::vector<NamedEmbedder> embedders;
  std::int64_t height = 0, width = 0;  ///< of all pictures
};

using Attackers = std::vector<std::unique_ptr<Attacker>>;
struct AttackKind {
  const char* name;  ///< "A1"
  const char* help;
  bool quick = false, standard = false;  ///< in these sets
  /// nullptr: counted from the evidence of the others, or an attack on something else than pictures.
  Attackers (*make)(const AttackSupplies&) = nullptr;
  /// The options that are missing ("--recogniser RUN"), "" when it can be made; nullptr: it always can.
  std::string (*lacks)(const AuditConfig&) = nullptr;
  bool files = false;      ///< looks at what the files tell beside their pixels
  bool by_others = false;  ///< counted from what other attackers see
};
std::span<const AttackKind> attack_kinds();

/// The rows of config.attacks: quick, standard, all, or ids with commas. What lacks options is left out of `all`, with a
/// warning if `tell`. Throws ConfigError for an unknown id, for one named that lacks an option, and where nothing would
/// be measured.
std::vector<const AttackKind*> chosen_attacks(const AuditConfig& config, bool tell = false);

}  // namespace facemae
