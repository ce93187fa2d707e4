#pragma once
// A11: was a person among those that FaceMAE itself was trained on? Measured by how well it rebuilds their photos.
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cluster/world/world.h"
#include "core/files/files.h"
#include "evaluation/campaign/findings.h"
#include "model/facemae/face_mae.h"

namespace facemae {

struct TrainingMembershipConfig {
  std::string from;       ///< the FaceMAE: a run, or a file of weights (then without references)
  std::string members;    ///< store of people that it was trained on
  std::string outsiders;  ///< store of people that it was not trained on, of the same kind
  Path folder;            ///< of the references
  int references = 2;     ///< 0, or an even number up to 8
  std::optional<std::uint64_t> reference_steps;
  std::int64_t masks = 16;
  std::int64_t people = 2000, photos = 16;  ///< at most, of each store and of each person
  std::optional<double> mask_ratio;         ///< where the weights do not say it
  std::uint64_t seed = 0;
  bool show_progress = true;
};

/// All ranks, which compute alike. The score of a photo is -log of the mean squared error of the whole rebuilt picture
/// over fresh masks, that of a person the mean over photos. Plain, and, with references, relative to models that were
/// not trained on the person (RMIA, evaluation/statistics/rmia.h, the population being the outsiders): both are reported,
/// as "reconstruction error" and "reconstruction error relative to N references". Measurements of level Membership and
/// metrics membership_auc, membership_tpr_training_people, dsys. Throws ConfigError when outsiders were trained on or
/// members were not, as far as the weights say.
Findings training_membership(World& world, const TrainingMembershipConfig& config);

/// The scores of photos [N, 3, H, W] uint8. Mask d of photo i is the same for every model, so models can be
/// compared. `advance` counts photos.
std::vector<double> reconstruction_scores(FaceMae& model, const torch::Tensor& photos, double mask_ratio,
                                          std::int64_t masks, std::uint64_t seed,
                                          const std::function<void(std::size_t)>& advance);

/// Plain scores of people under the model under attack and under each reference; in[r][p]: reference r was trained on
/// person p, or would have been if the person had been in its store.
struct ScoredPeople {
  std::vector<double> target;
  std::vector<std::vector<double>> references;
  std::vector<std::vector<bool>> in;
};
/// Members and outsiders -> what is reported.
Findings membership_findings(const ScoredPeople& members, const ScoredPeople& outsiders, std::uint64_t seed);

}  // namespace facemae
