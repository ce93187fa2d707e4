#pragma once
// What a release is made of: faces of unseen people and the model that rebuilds them, with all that speaks against
// the pair.
#include <memory>
#include <optional>

#include "checkpoint/tensors/weights.h"
#include "data/store/store.h"
#include "model/facemae/face_mae.h"
#include "trainer/release/rebuild_release.h"

namespace facemae {

struct RebuildSource {
  std::shared_ptr<const Store> store;
  Weights weights;         ///< none with a baseline
  FaceMae model{nullptr};  ///< on the device; none with a baseline
  double mask_ratio = 0;
  std::shared_ptr<const Store> nuisance;  ///< of a model with a code, else null
  std::optional<double> mu;               ///< of the noise on codes; nothing: no noise
};

/// Throws ConfigError when the model must not make a release, or was trained on pictures of another size.
RebuildSource open_rebuild_source(const ReconstructConfig& config, std::shared_ptr<const Store> store,
                                  torch::Device device);
/// Throws DataError: see trainer/apply/plausible.h. Nothing with a baseline.
void refuse_flat_pictures(RebuildSource& source, torch::Device device);
/// Warns when the model may have seen these people, or does not say what it learned to rebuild, and of what the settings
/// do to the people.
void warn_of_doubts(const RebuildSource& source, const ReconstructConfig& config);

}  // namespace facemae
