#pragma once
// A12: the attacker has FaceMAE itself. He finds which patches of a photo it saw, estimates their pixels, and looks for
// the person whose photos have them.
#include <cstdint>
#include <memory>

#include "evaluation/attacks/attacker.h"
#include "model/facemae/face_mae.h"

namespace facemae {

struct WhiteBoxConfig {
  double mask_ratio = 0.75;  ///< of the release: it is public
  /// Pictures whose kept pixels are optimised, spread over the release, and steps of Adam for each.
  std::int64_t probes = 200, steps = 200;
  double learning_rate = 0.02;
  /// Pictures that he makes of his own photos, to learn what the traces look like.
  std::int64_t rehearsal = 64;
  std::int64_t masks = 4;  ///< see KeptSearch
  std::int64_t batch = 32;
  std::uint64_t seed = 0;
  bool show_progress = true;
};

/// Evidence by person. He rehearses on the photos that he holds: rebuilds some of them under masks of his own,
/// learns from these what kept patches look like and how near their pixels come, and whether optimising them brings
/// them nearer; what does not help there is left out. Of the release he uses pictures alone. The model is on its
/// device, in evaluation mode; its weights are frozen (no gradients), not changed.
std::unique_ptr<Attacker> white_box(FaceMae model, const WhiteBoxConfig& config);

/// Photos whose kept patches (mask) FaceMAE decodes to `pictures`, as nearly as `steps` of Adam from the pictures
/// themselves find: float32 in -1..1. Only kept patches are changed. Freezes the model's weights.
torch::Tensor optimised_patches(FaceMae& model, const torch::Tensor& pictures, const Masked& mask,
                                std::int64_t steps, double learning_rate);

}  // namespace facemae
