#pragma once
// The attacks that need more than a release and the photos that it was made of: other releases, FaceMAE itself, the
// people that it was trained on, attributes. What the options of `facemae audit` say of them, and one call for all.
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cluster/world/world.h"
#include "core/options/options.h"
#include "data/store/store.h"
#include "evaluation/attacks/attacker.h"
#include "evaluation/campaign/findings.h"
#include "evaluation/campaign/target.h"

namespace facemae {

/// An attack whose options are empty is not made.
struct FurtherAttacks {
  std::vector<std::string> also_released, also_links, also_real;  ///< A8
  std::string from;                  ///< A11, A12: the FaceMAE that made the release
  std::optional<double> mask_ratio;  ///< of the release, where the weights do not say it
  std::string training_store;        ///< A11, with distractors of the audit as outsiders
  std::string distractors;
  int references = 2;
  std::optional<std::uint64_t> reference_steps;
  std::int64_t probes = 200;  ///< A12
  std::string attributes;     ///< A13
};

/// --also-released, --also-link, --also-real, --from, --mask-ratio, --training-store, --references, --reference-steps,
/// --white-box-probes, --attributes. --distractors is the audit's own.
void declare(Options& options, FurtherAttacks& attacks);
void validate(Options& options, const FurtherAttacks& attacks);

/// Before hours of attacks: throws ConfigError where a release of --also-released has no link, was made of a store that is
/// neither `real` nor in --also-real, and where one of --also-real serves nothing. `link`: of --link.
void check_other_releases(const FurtherAttacks& attacks, const std::string& real, const std::string& link);

/// A12 on the model of --from, for the attackers that are measured like all others; null without --from.
std::unique_ptr<Attacker> white_box_of(const FurtherAttacks& attacks, torch::Device device,
                                       std::uint64_t seed);

/// For the control that bears its name: one picture for each of up to 16 photos of the first 120 people of `target` who are
/// in its release, by the FaceMAE of --from at mask ratio 0.5, in a class of the person; nothing without --from, with
/// fewer than four people or 8 photos of half of them, or by a FaceMAE with a code.
std::optional<Target> plain_release(const FurtherAttacks& attacks, const Target& target, torch::Device device,
                                    std::uint64_t seed);

/// What A8, A11 and A13 need of the audit around them.
struct AuditedRelease {
  std::string real, released, link, report;              ///< as the options say
  std::span<const std::unique_ptr<Attacker>> attackers;  ///< A8 has them look at every release: fitted ones
  std::vector<std::pair<std::string, torch::Tensor>>
      embedded;  ///< A13: unit features of the released pictures
  std::uint64_t seed = 0;
};
/// A8, A11 and A13 as far as options ask for them.
Findings further_attacks(World& world, const FurtherAttacks& attacks, const AuditedRelease& audited);

}  // namespace facemae
