#pragma once
// All attackers on one release: who learns from whom, which controls stand beside it, and what was found.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "evaluation/campaign/findings.h"
#include "evaluation/campaign/link_test.h"
#include "evaluation/campaign/membership.h"

namespace facemae {

struct CampaignOptions {
  /// Released pictures that attackers learn from, for the curve; all that there are come last. Sizes that there are
  /// not are left out.
  std::vector<std::int64_t> pairs = {100, 500};
  std::int64_t planted_classes = kPlantedClasses;
  std::uint64_t seed = 0;
  std::function<void()> before_look = [] {};  ///< may throw, to end the campaign
  std::optional<Target> plain = {};           ///< for count_on_plain(); without it that control is left out
  bool levels_alone = false;  ///< no controls, no membership and no scores of pairs: for a first look
};

/// Attackers that learn do so on `own` (people of the attacker's, who must not be in the release; everything else is
/// tested on all of it), or without it on one half of the release's classes, and are tested on the other, both ways.
/// Others are tested on the whole. Where a release cannot be halved, learners are left out with a warning. Throws
/// ConfigError as check_target and attackers do.
Findings attack_release(const std::vector<std::unique_ptr<Attacker>>& attackers, const Target& target,
                        const std::optional<Lesson>& own, const CampaignOptions& options);

}  // namespace facemae
