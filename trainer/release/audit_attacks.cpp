#include "trainer/release/audit_attacks.h"

#include <algorithm>

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

/// One row of the table of attackers that train networks.
template <char... id>
Attackers trained(const AttackSupplies& supplies) {
  constexpr char name[] = {id..., 0};
  TrainedAttackerConfig config = supplies.config.trained;
  config.folder = Path(supplies.config.report) / "attackers";
  config.seed = supplies.config.seed;
  config.after_inversion = {
      [&height = supplies.height, &width = supplies.width]() -> std::unique_ptr<Attacker> {
        return std::make_unique<FixedAttacker>(std::move(pixel_attackers(height, width).front()));
      },
      []() -> std::unique_ptr<Attacker> { return std::make_unique<ChannelAttacker>(); }};
  return trained_attackers({name}, config, supplies.world);
}

Attackers white_boxes(const AttackSupplies& supplies) {
  Attackers all;
  all.push_back(white_box_of(supplies.config.further, supplies.world.device(), supplies.config.seed));
  return all;
}

std::string several(const AuditConfig& config) {
  return config.further.also_released.empty() ? "--also-released STORE: other releases of the same people"
                                              : "";
}
std::string training_people(const AuditConfig& config) {
  return config.further.training_store.empty()
             ? "--from MODEL, --training-store STORE and --distractors STORE"
             : "";
}
std::string model(const AuditConfig& config) {
  return config.further.from.empty() ? "--from MODEL: the FaceMAE that made the release" : "";
}
std::string attributes(const AuditConfig& config) {
  return config.further.attributes.empty() ? "--attributes FILE, or synthetic" : "";
}

constexpr AttackKind kKinds[] = {
    {"A0", "fixed: small pictures, frequencies, and every --embedder", true, true, fixed},
    {"A1", "closed-form channel: which photo explains a picture best, learnt from pairs", true, true,
     one<ChannelAttacker>},
    {"A2", "patch-wise sets: each part of a picture may come from another photo", false, true,
     one<PatchAttacker>},
    {"A3", "whole classes and people: a level of every attack, always counted", true, true, nullptr, nullptr,
     false, true},
    {"A4", "the recogniser that anybody trains on the release, or that of --recogniser", false, true,
     trained<'A', '4'>},
    {"A5", "two small networks that learn to link pictures with photos and with people", false, false,
     trained<'A', '5'>},
    {"A6", "a face embedder that learns to see through the mechanism", false, false, trained<'A', '6'>},
    {"A7", "a network that turns pictures back before others look", false, false, trained<'A', '7'>},
    {"A8", "several releases of the same people", false, false, nullptr, several, false, true},
    {"A9", "a recogniser of released pictures of the attacker's own people", false, false, trained<'A', '9'>},
    {"A10",
     "membership of released people: counted where there are people who were not released (--distractors)",
     true, true, nullptr, nullptr, false, true},
    {"A11", "membership of the people whom FaceMAE was trained on", false, false, nullptr, training_people},
    {"A12", "white box: the attacker has FaceMAE, and finds which patches it saw", false, false, white_boxes,
     model},
    {"A13", "attributes of people", false, false, nullptr, attributes},
    {"A14", "metadata: counts, sizes, order, tables, names", false, true, nullptr, nullptr, true},
};

}  // namespace

std::span<const AttackKind> attack_kinds() { return kKinds; }

std::vector<const AttackKind*> chosen_attacks(const AuditConfig& config, bool tell) {
  std::vector<const AttackKind*> chosen;
  const auto lacks = [&](const AttackKind& kind) { return kind.lacks ? kind.lacks(config) : std::string(); };
  if (config.attacks == "quick" || config.attacks == "standard" || config.attacks == "all") {
    for (const AttackKind& kind : kKinds) {
      if (config.attacks == "all" ? false : !(config.attacks == "quick" ? kind.quick : kind.standard))
        continue;
      if (const std::string missing = lacks(kind); missing.empty()) {
        chosen.push_back(&kind);
      } else if (tell) {
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
  const auto counted =
      std::find_if(chosen.begin(), chosen.end(), [](const AttackKind* kind) { return kind->by_others; });
  if (counted != chosen.end() && std::none_of(chosen.begin(), chosen.end(),
                                              [](const AttackKind* kind) { return kind->make != nullptr; }))
    throw ConfigError(fmt::format(
        "--attacks {}: {} is counted from what other attackers see: name some, too, as in --attacks A0,{}",
        config.attacks, (*counted)->name, config.attacks));
  return chosen;
}

}  // namespace facemae
