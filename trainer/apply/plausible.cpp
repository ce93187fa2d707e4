#include "trainer/apply/plausible.h"

#include <torch/torch.h>

#include <algorithm>

#include "core/error.h"
#include "core/random/keys.h"
#include "data/image/image.h"
#include "model/common/pixels.h"
#include "model/facemae/code.h"

namespace facemae {
namespace {

constexpr std::uint64_t kTried = 8;
constexpr int kNoise = 2;  ///< of 255: a picture that differs by no more is of one colour

/// Every row of `pictures` [n, 3, side, side], bytes, is of one colour.
bool one_colour(const torch::Tensor& pictures) {
  const auto [least, most] = torch::aminmax(pictures.flatten(2), /*dim=*/2);
  return (most - least).max().item<int>() <= kNoise;
}

bool all_alike(const torch::Tensor& pictures) {
  return (pictures - pictures.select(0, 0).unsqueeze(0)).abs().max().item<int>() == 0;
}

}  // namespace

void refuse_flat_pictures(const Store& source, FaceMae& model, torch::Device device, double mask_ratio) {
  const torch::NoGradGuard no_grad;
  const int side = model->config.image;
  Decoder decoder;
  std::vector<std::uint8_t> pixels;
  std::vector<std::uint64_t> keys;
  std::vector<std::byte> encoded;
  const std::uint64_t wanted = std::min(kTried, source.size());
  for (std::uint64_t i = 0; i < wanted; ++i) {
    try {
      source.read(i * source.size() / wanted, encoded);
      const Image face = decoder.decode(encoded);
      pixels.insert(pixels.end(), face.pixels.begin(), face.pixels.end());
      keys.push_back(key_of(0, Purpose::Mask, i));
    } catch (const DataError&) {  // rebuilding names the row
    }
  }
  if (keys.empty()) return;
  const auto faces = to_network_input(pixels, side, {}, device);
  const Masked mask = random_masks(keys, model->config.patches(), mask_ratio, device);
  const auto latent = model->encode(faces, mask);
  const auto patches =
      model->config.code > 0 ? decode_codes(*model, latent, mask) : model->decode(latent, mask);
  const auto rebuilt = model->unpatchify(patches).to(torch::kFloat32);
  const std::string which =
      "the model's pictures of " + std::to_string(keys.size()) + " faces of " + source.folder().string();
  const std::string remedy =
      ": its weights are unusable, as after a training that diverged. "
      "Look at samples/ of its run, then take an earlier checkpoint or train again";
  if (!torch::isfinite(rebuilt).all().item<bool>()) throw DataError(which + " are not finite" + remedy);
  const auto bytes = ((rebuilt.clamp(-1, 1) + 1) * 127.5).round().to(torch::kInt32);
  if (one_colour(bytes)) throw DataError(which + " are each of one colour" + remedy);
  if (keys.size() > 1 && !all_alike((faces * 255).to(torch::kInt32)) && all_alike(bytes))
    throw DataError(which + " are all the same picture" + remedy);
}

}  // namespace facemae
