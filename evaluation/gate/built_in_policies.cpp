#include "evaluation/gate/policy.h"

namespace facemae {
namespace {

constexpr const char* kPublic = R"({
  "facemae_policy": 1,
  "name": "public",
  "recipient": "public",
  "alpha": 0.05,
  "threat": {
    "gallery": "source_photos",
    "also": "other_photos",
    "holder": "who keeps the private folder: name a person or an office",
    "pairs": [100, 500, "all"],
    "weights_known": true,
    "mechanism_known": true,
    "secret_known": false
  },
  "sample": { "people_min": 300, "people_effective_min": 160, "nonmembers_min": 1500, "attacker_people_min": 100 },
  "require": {
    "linkability": [
      { "metric": "naming_odds", "attacks": ["A0", "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A9"], "max": 0.05 },
      { "metric": "own_picture_rank1", "attacks": ["A0", "A1", "A5", "A6"], "gallery": 1000, "max": 0.02 },
      { "metric": "tar_at_far", "attacks": ["A4", "A5", "A6"], "far": 0.001, "person_pairs_min": 30000, "max": 0.05 },
      { "metric": "dsys", "attacks": ["A4", "A6"], "max": 0.10 }
    ],
    "singling_out": [
      { "metric": "k_min", "min": 4 },
      { "metric": "most_exposed_percent_naming_odds", "percent": 1, "max": 0.25 },
      { "metric": "two_release_intersection_naming_odds", "attacks": ["A8"], "max": 0.05 }
    ],
    "inference": [
      { "metric": "membership_tpr", "attacks": ["A10"], "fpr": 0.01, "max": 0.05 },
      { "metric": "membership_tpr_training_people", "attacks": ["A11"], "fpr": 0.01, "max": 0.05 },
      { "metric": "attribute_residual_risk", "attacks": ["A13"], "max": 0.10 }
    ],
    "irreversibility": [ { "metric": "inversion_naming_odds", "attacks": ["A7", "A12"], "max": 0.05 } ],
    "metadata": [ { "metric": "exact_links", "attacks": ["A14"], "max": 0 } ],
    "utility": [ { "metric": "accuracy_difference_to_plain", "min": -0.02, "gate": false } ]
  },
  "controls": {
    "positive": [
      { "name": "real_other_photo", "attacks": ["A6"], "min": 0.5 },
      { "name": "real_other_photo", "attacks": ["A4", "A9"], "min": 0.02 },
      { "name": "plain_0.5", "attacks": ["A0", "A1", "A2"], "min": 0.8 },
      { "name": "planted", "attacks": ["A0", "A1", "A2", "A4", "A5", "A6", "A7", "A9", "A10"], "min": 0.65 }
    ],
    "negative": [
      { "name": "shuffled_links", "attacks": ["A0", "A1", "A2", "A4", "A5", "A6", "A7", "A9", "A10"], "covers_chance": true }
    ]
  },
  "dp": { "claimed": false, "unit": null, "mu": null, "epsilon": null, "delta": null, "composition": null, "sampler": null },
  "licence": { "source_allows_derivatives": false, "statement": "write here what the licence of the source allows, and who read it" },
  "partition": { "frozen_with": null, "second_release": "same_partition_only" },
  "valid_until": "2027-12-31",
  "on_inconclusive": "refuse",
  "reports": { "pictures": "released" }
}
)";

constexpr const char* kResearch = R"({
  "facemae_policy": 1,
  "name": "research agreement",
  "recipient": "research",
  "alpha": 0.05,
  "threat": {
    "gallery": "source_photos",
    "also": "other_photos",
    "holder": "who keeps the private folder: name a person or an office",
    "pairs": ["all"],
    "weights_known": true,
    "mechanism_known": true,
    "secret_known": false
  },
  "sample": { "people_min": 100, "people_effective_min": 80, "nonmembers_min": 300, "attacker_people_min": 50 },
  "require": {
    "linkability": [
      { "metric": "naming_odds", "attacks": ["A0", "A1", "A2", "A3", "A4", "A5", "A6"], "max": 0.05, "recipient_research_max": 0.09 },
      { "metric": "own_picture_rank1", "attacks": ["A0", "A1"], "max": 0.09 }
    ],
    "singling_out": [
      { "metric": "k_min", "min": 4 },
      { "metric": "most_exposed_percent_naming_odds", "percent": 1, "max": 0.25 }
    ],
    "inference": [ { "metric": "membership_tpr", "attacks": ["A10"], "fpr": 0.05, "max": 0.25 } ],
    "metadata": [ { "metric": "exact_links", "attacks": ["A14"], "max": 0 } ],
    "utility": [ { "metric": "accuracy_difference_to_plain", "min": -0.02, "gate": false } ]
  },
  "controls": {
    "positive": [
      { "name": "real_other_photo", "attacks": ["A6"], "min": 0.5 },
      { "name": "real_other_photo", "attacks": ["A4"], "min": 0.02 },
      { "name": "planted", "attacks": ["A0", "A1", "A2", "A4", "A5", "A6", "A7", "A9", "A10"], "min": 0.65 }
    ],
    "negative": [ { "name": "shuffled_links", "attacks": ["A0", "A1", "A2", "A4", "A5", "A6", "A7", "A9", "A10"], "covers_chance": true } ]
  },
  "dp": { "claimed": false, "unit": null, "mu": null, "epsilon": null, "delta": null, "composition": null, "sampler": null },
  "licence": { "source_allows_derivatives": false, "statement": "write here what the licence of the source allows, and who read it" },
  "partition": { "frozen_with": null, "second_release": "same_partition_only" },
  "valid_until": "2027-12-31",
  "on_inconclusive": "refuse",
  "reports": { "pictures": "released" }
}
)";

}  // namespace

const std::vector<BuiltInPolicy>& built_in_policies() {
  static const std::vector<BuiltInPolicy> policies = {
      {"public", "for a set that anybody may download", kPublic},
      {"research", "for recipients who are bound by an agreement", kResearch},
  };
  return policies;
}

}  // namespace facemae
