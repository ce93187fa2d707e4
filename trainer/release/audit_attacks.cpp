#include "trainer/release/audit_attacks.h"

#include "core/error.h"
#include "core/kinds.h"
#include "core/log.h"
#include "core/text.h"
#include "evaluation/attacks/channel_attacker.h"
#include "evaluation/attacks/fixed_attackers.h"
#include "evaluation/attacks/patch_attacker.h"

namespace facemae {
namespace {

Attackers fixed(const AttackSupplies& supplies) {
  constexpr std::int64_t batch = 64;
  Attackers all;
  for (FixedAttacker& attacker : pixel_attackers(supplies.height, supplies.width))
    all.push_back(std::make_unique<FixedAttacker>(std::move(attacker)));
  for (const NamedEmbedder& embedder : supplies.embedders)
    all.push_back(std::make_unique<FixedAttacker>(embedder_attacker(embedder, batch)));
  return all;
}

template <class T>
Attackers one(const AttackSupplies&) {
  Attackers all;
  all.push_back(std::make_unique<T>());
  return all;
}

constexpr AttackKind kKinds[] = {
    {"A0", "fixed: small pictures, frequencies, and every --embedder", true, true, fixed},
    {"A1", "closed-form channel: which photo explains a picture best, learnt from pairs", true, true,
     one<ChannelAttacker>},
    {"A2", "patch-wise sets: each part of a picture may come from another photo", false, true,
     one<PatchAttacker>},
    {"A3", "whole classes and people: a level of every attack, always counted", true, true},
    {"A10",
     "membership of released people: counted where there are people who were not released (--distractors)",
     true, true},
    {"A14", "metadata: counts, sizes, order, tables, names", false, true},
};

}  // namespace

std::span<const AttackKind> attack_kinds() { return kKinds; }

std::vector<const AttackKind*> chosen_attacks(const AuditConfig& config) {
  std::vector<const AttackKind*> chosen;
  const auto lacks = [&](const AttackKind& kind) { return kind.lacks ? kind.lacks(config) : std::string(); };
  if (config.attacks == "quick" || config.attacks == "standard" || config.attacks == "all") {
    for (const AttackKind& kind : kKinds) {
      if (config.attacks == "all" ? false : !(config.attacks == "quick" ? kind.quick : kind.standard))
        continue;
      if (const std::string missing = lacks(kind); missing.empty()) {
        chosen.push_back(&kind);
      } else {
        spdlog::warn("attack {} is left out: it needs {}", kind.name, missing);
      }
    }
    return chosen;
  }
  for (const std::string& word : split(config.attacks, ',')) {
    const AttackKind& kind =
        row_of(kKinds, trim(word), "choosing --attacks (quick, standard, all, or ids with commas)");
    if (const std::string missing = lacks(kind); !missing.empty())
      throw ConfigError(std::string("attack ") + kind.name + " needs " + missing);
    chosen.push_back(&kind);
  }
  return chosen;
}

}  // namespace facemae
