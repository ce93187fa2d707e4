// Named sizes of FaceMAE, and configurations read off a state dict.
#include <torch/torch.h>

#include <map>
#include <optional>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "model/facemae/face_mae.h"
#include "model/facemae/positions.h"

namespace facemae {
namespace {

std::optional<std::int64_t> block_of(const std::string& key, const std::string& prefix) {
  if (!key.starts_with(prefix)) return std::nullopt;
  const auto number = key.substr(prefix.size(), key.find('.', prefix.size()) - prefix.size());
  if (number.empty() || number.size() > 6 || number.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  return std::stoll(number);
}

}  // namespace

FaceMaeConfig face_mae_config(const std::string& size, int image, int patch) {
  struct Size {
    int width, depth, heads, decoder_width, decoder_depth, decoder_heads;
  };
  static const std::map<std::string, Size> sizes = {
      {"tiny", {192, 6, 3, 96, 2, 3}},      {"small", {384, 8, 6, 192, 4, 6}},
      {"base", {768, 12, 12, 512, 8, 16}},  {"large", {1024, 24, 16, 512, 8, 16}},
      {"huge", {1280, 32, 16, 512, 8, 16}},
  };
  const auto found = sizes.find(size);
  if (found == sizes.end())
    throw ConfigError(fmt::format("choosing the size of FaceMAE: \"{}\" is unknown{}", size,
                                  suggestion(size, {"tiny", "small", "base", "large", "huge"})));
  const Size& s = found->second;
  if (image <= 0 || patch <= 0 || image % patch != 0)
    throw ConfigError(
        fmt::format("choosing the size of FaceMAE: a patch of {} pixels does not divide an image of {}; "
                    "112 takes patches of 8, 14 or 16, 224 of 14 or 16.",
                    patch, image));
  return {.image = image,
          .patch = patch,
          .width = s.width,
          .depth = s.depth,
          .heads = s.heads,
          .decoder_width = s.decoder_width,
          .decoder_depth = s.decoder_depth,
          .decoder_heads = s.decoder_heads};
}

FaceMaeConfig config_from_weights(const NamedWeights& weights, int heads, int decoder_heads) {
  const std::map<std::string, torch::Tensor> by_name(weights.begin(), weights.end());
  const auto need = [&](const std::string& name, std::int64_t dims) {
    const auto found = by_name.find(name);
    if (found == by_name.end())
      throw ConfigError(fmt::format(
          "reading the size of a MAE from {} weights: {} is missing; "
          "a whole model is needed, with its decoder (of the public files those named \"visualize\").",
          weights.size(), name));
    if (found->second.dim() != dims)
      throw ConfigError(
          fmt::format("reading the size of a MAE: {} has {} dimensions, not {}; "
                      "these weights are of another kind of model.",
                      name, found->second.dim(), dims));
    return found->second;
  };
  const auto projection = need("patch_embed.proj.weight", 4), table = need("pos_embed", 3);
  std::int64_t depth = 0, decoder_depth = 0;
  for (const auto& [name, tensor] : weights) {
    if (const auto number = block_of(name, "blocks.")) depth = std::max(depth, *number + 1);
    if (const auto number = block_of(name, "decoder_blocks."))
      decoder_depth = std::max(decoder_depth, *number + 1);
  }
  const auto code = by_name.find("code_in.weight");
  const auto patch = projection.size(2);
  return {.image = static_cast<int>(grid_of_positions(table) * patch),
          .patch = static_cast<int>(patch),
          .width = static_cast<int>(projection.size(0)),
          .depth = static_cast<int>(depth),
          .heads = heads,
          .decoder_width = static_cast<int>(need("decoder_embed.weight", 2).size(0)),
          .decoder_depth = static_cast<int>(decoder_depth),
          .decoder_heads = decoder_heads,
          .code = code == by_name.end() ? 0 : static_cast<int>(need("code_in.weight", 2).size(0))};
}

NamedWeights fit_positions(const NamedWeights& weights, const FaceMaeConfig& config) {
  NamedWeights fitted = weights;
  for (auto& [name, tensor] : fitted)
    if (name == "pos_embed" || name == "decoder_pos_embed")
      tensor = resize_positions(tensor, config.image / config.patch);
  return fitted;
}

}  // namespace facemae
