#pragma once
// From configurations and stored weights to models.
#include <memory>
#include <optional>
#include <string>

#include "checkpoint/tensors/weights.h"
#include "cluster/host/control.h"
#include "model/facemae/face_mae.h"
#include "model/recognition/recognition.h"

namespace facemae {

/// A FaceMAE as its weights say; shapes tell all but the number of heads, which the run's configuration or
/// the file's metadata tells (64 values a head otherwise). Throws ConfigError when they are not a FaceMAE.
FaceMae face_mae_from(const Weights& weights);
/// True when the model was trained on normalised patches: its output is no picture by itself.
bool normalises_patches(const Weights& weights);
/// Why this model must not make a release and what to do, "" when nothing that is known speaks against
/// it (docs/METHOD.md, Losses).
std::string unfit_for_release(const Weights& weights);
/// --reconstruction of the run that made the weights: all | hidden | none, "" when unknown.
std::string reconstruction_of(const Weights& weights);
/// --blend of the run that made the weights: people:K, "" when it rebuilt single faces or nothing is known.
std::string blend_of(const Weights& weights);
/// --mask-ratio of the run that made the weights; nothing when unknown.
std::optional<double> mask_ratio_of(const Weights& weights);
/// The ratio to rebuild with: what is `asked` for, else what the model was trained with. A warning when they
/// differ; ConfigError when neither is known, or the known one is no ratio.
double mask_ratio_for(const Weights& weights, const std::optional<double>& asked);
/// The network by `name`, or by what the run or file says when it is ""; shapes tell the values of its embedding. In
/// evaluation mode; it takes RGB images, whatever it was trained on, if its file says so.
std::shared_ptr<RecognitionNetwork> network_from(const Weights& weights, const std::string& name = "");
/// The same on a device, in the memory format in which it computes faster there.
std::shared_ptr<RecognitionNetwork> network_at_work(const Weights& weights, torch::Device device,
                                                    const std::string& name = "");
std::string network_name_of(const Weights& weights);  ///< "" when unknown
/// The key of a file's metadata under which `import --bgr` says "bgr".
inline constexpr const char* kChannelOrder = "channels";
/// Was the network trained on BGR images? Ours are on RGB; of others the file says it.
bool takes_bgr(const Weights& weights);
/// Turns a network that takes BGR images into the one that gives the same of RGB images: its first convolution has its
/// input channels the other way round.
void take_rgb(RecognitionNetwork& network);

/// All ranks: a run goes on while they read it. Throws AgreedError when the hashes of what they read differ.
void expect_same_weights(Control& control, const std::string& from, const std::string& hash);

}  // namespace facemae
