#include "trainer/apply/models.h"

#include <torch/torch.h>

#include <charconv>

#include "cluster/host/agree.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "model/common/layout.h"
#include "model/common/state.h"
#include "trainer/apply/what_fits.h"

namespace facemae {
namespace {

std::string described(const Weights& weights, const std::string& key) {
  if (const auto found = weights.metadata.find(key); found != weights.metadata.end()) return found->second;
  return config_value(weights.config, key);
}

bool has_tensor(const Weights& weights, const std::string& name) {
  for (const auto& [key, tensor] : weights.tensors)
    if (key == name) return true;
  return false;
}

/// Heads by MAE's habit of 64 values each, where nothing else is known.
int heads_or(const std::string& known, std::int64_t width) {
  return known.empty() ? static_cast<int>(std::max<std::int64_t>(1, width / 64)) : std::stoi(known);
}

void load(torch::nn::Module& model, const Weights& weights) {
  try {
    load_state(model, weights.tensors);
  } catch (const ConfigError& error) {
    throw ConfigError(weights.origin + ": " + error.what() + what_fits(weights.tensors));
  }
}

}  // namespace

FaceMae face_mae_from(const Weights& weights) {
  if (!has_tensor(weights, "mask_token") || !has_tensor(weights, "patch_embed.proj.weight"))
    throw ConfigError(weights.origin +
                      " is not a FaceMAE: it has no mask_token. Was it made by `facemae pretrain`?" +
                      what_fits(weights.tensors));
  int heads = 0, decoder_heads = 0;
  if (const std::string size = config_value(weights.config, "model"); !size.empty()) {
    const FaceMaeConfig known = face_mae_config(size, 112, 8);
    heads = known.heads;
    decoder_heads = known.decoder_heads;
  } else {
    for (const auto& [key, tensor] : weights.tensors) {
      if (key == "cls_token") heads = heads_or(described(weights, "heads"), tensor.size(-1));
      if (key == "mask_token") decoder_heads = heads_or(described(weights, "decoder_heads"), tensor.size(-1));
    }
  }
  FaceMae model(config_from_weights(weights.tensors, heads, decoder_heads));
  load(*model, weights);
  model->eval();
  return model;
}

bool normalises_patches(const Weights& weights) { return described(weights, "normalise-patches") == "yes"; }

std::string reconstruction_of(const Weights& weights) { return described(weights, "reconstruction"); }

std::string blend_of(const Weights& weights) { return described(weights, "blend"); }

std::optional<double> mask_ratio_of(const Weights& weights) {
  const std::string known = described(weights, "mask-ratio");
  if (known.empty()) return {};
  double ratio = 0;
  const auto [end, error] = std::from_chars(known.data(), known.data() + known.size(), ratio);
  if (error != std::errc() || end != known.data() + known.size() || !(ratio > 0 && ratio < 1))
    throw ConfigError(weights.origin + " says that its mask ratio is \"" + known +
                      "\", which is not a ratio between 0 and 1");
  return ratio;
}

double mask_ratio_for(const Weights& weights, const std::optional<double>& asked) {
  const auto trained = mask_ratio_of(weights);
  if (!asked && !trained)
    throw ConfigError(
        weights.origin +
        " does not say with which mask ratio it was trained: give --mask-ratio, that of its training (0.75 for the official MAE)");
  if (asked && trained && *asked != *trained)
    spdlog::warn(
        "the model was trained with --mask-ratio {}, {} is asked for: it sees {:.2g} times as much of each face as it learned from, {}",
        *trained, *asked, (1 - *asked) / (1 - *trained),
        *asked < *trained ? "so more of the face is shown" : "so its pictures may be poor");
  return asked ? *asked : *trained;
}

std::string unfit_for_release(const Weights& weights) {
  if (normalises_patches(weights))
    return weights.origin +
           " was trained on normalised patches: rebuilding would need the hidden patches' own statistics. "
           "Train without --normalise-patches";
  const std::string learned = reconstruction_of(weights);
  const bool relations_of_blends =
      learned == "none" && !blend_of(weights).empty();  // nothing of a face shows through
  if (!learned.empty() && learned != "all" && !relations_of_blends)
    return fmt::format(
        "{} was trained with --reconstruction {}: its output is not a picture where the faces are {}, and real pixels must not be put there. "
        "Train with --reconstruction all",
        weights.origin, learned, learned == "hidden" ? "visible" : "visible or hidden");
  return "";
}

std::string network_name_of(const Weights& weights) { return described(weights, "network"); }

bool takes_bgr(const Weights& weights) { return described(weights, kChannelOrder) == "bgr"; }

void take_rgb(RecognitionNetwork& network) {
  constexpr std::int64_t kColours = 3, kImageDimensions = 4;
  const torch::NoGradGuard no_grad;
  for (const auto& weight : network.parameters())
    if (weight.dim() == kImageDimensions && weight.size(1) == kColours) {
      weight.copy_(weight.flip({1}));
      return;
    }
}

std::shared_ptr<RecognitionNetwork> network_from(const Weights& weights, const std::string& name) {
  const std::string known = name.empty() ? network_name_of(weights) : name;
  if (known.empty())
    throw ConfigError(weights.origin + " does not say which network it is: pass --network " +
                      join(network_names(), "|") + ", or to `facemae import`, whose file says it");
  auto network =
      make_network(known, NetworkOptions::drawing_nothing(embedding_width_of(known, weights.tensors)));
  load(*network, weights);
  if (takes_bgr(weights)) take_rgb(*network);
  network->eval();
  return network;
}

std::shared_ptr<RecognitionNetwork> network_at_work(const Weights& weights, torch::Device device,
                                                    const std::string& name) {
  auto network = network_from(weights, name);
  network->to(device);
  lay_out(*network, fastest_format(name.empty() ? network_name_of(weights) : name, device, /*reduced=*/true));
  return network;
}

void expect_same_weights(Control& control, const std::string& from, const std::string& hash) {
  if (!control.same_everywhere(hash))
    throw AgreedError(
        ConfigError("the ranks read different weights from " + from + ": export them to a file first"));
}

}  // namespace facemae
