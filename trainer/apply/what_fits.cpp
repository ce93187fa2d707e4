#include "trainer/apply/what_fits.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>

#include "checkpoint/tensors/wrappers.h"
#include "core/log.h"
#include "model/recognition/recognition.h"

namespace facemae {
namespace {

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

template <class Tensors>
Shapes shapes_of(const Tensors& tensors) {
  Shapes shapes;
  for (const auto& [name, value] : tensors) shapes[name] = value.sizes().vec();
  return shapes;
}

std::size_t in_common(const Shapes& some, const Shapes& others) {
  return static_cast<std::size_t>(std::count_if(some.begin(), some.end(), [&](const auto& one) {
    const auto found = others.find(one.first);
    return found != others.end() && found->second == one.second;
  }));
}

/// Networks that are so many times as large as what is given are not made to find out.
constexpr double kManyMore = 2.5;

std::string of_networks(const NamedTensors& weights) {
  const Shapes given = shapes_of(weights);
  double values = 0;
  for (const auto& [name, value] : weights) values += static_cast<double>(value.numel());
  std::string nearest;
  std::size_t most = 0, of = 1;
  for (const auto& kind : network_kinds()) {
    if (kind.parameters > kManyMore * values) continue;
    const Shapes own = shapes_of(
        state_of(*kind.make(NetworkOptions::drawing_nothing(embedding_width_of(kind.name, weights)))));
    const std::size_t common = in_common(own, given);
    if (common == own.size() && common == given.size())
      return fmt::format(" They fit --network {}", kind.name);
    if (common * of > most * own.size()) nearest = kind.name, most = common, of = own.size();
  }
  if (2 * most < of) return "";
  return fmt::format(" The nearest is --network {}: {} of its {} tensors are among the {} that are there",
                     nearest, most, of, given.size());
}

}  // namespace

std::string what_fits(const NamedTensors& weights) {
  const NamedTensors unwrapped = without_wrappers(weights);
  const Shapes bare = shapes_of(unwrapped), given = shapes_of(weights);
  std::string fits;
  if (bare.contains("mask_token") && bare.contains("patch_embed.proj.weight"))
    fits = " They are a masked autoencoder's: --network facemae";
  else if (bare.contains("cls_token") && bare.contains("patch_embed.proj.weight"))
    fits =
        " They are the encoder of a ViT alone, without mask_token and decoder: take the whole autoencoder that MAE "
        "publishes for visualising (mae_visualize_vit_*.pth)";
  else
    fits = of_networks(unwrapped);
  if (!fits.empty() && bare != given)
    fits += ", once `facemae import` has removed what stands before every name";
  return fits;
}

}  // namespace facemae
