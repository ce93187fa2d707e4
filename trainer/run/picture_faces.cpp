#include "trainer/run/picture_faces.h"

#include <torch/torch.h>

#include <algorithm>

#include "core/log.h"
#include "core/random/keys.h"
#include "core/random/permutation.h"
#include "model/common/pixels.h"

namespace facemae {
namespace {

constexpr std::uint64_t kPictures = 8;
constexpr std::uint64_t kPictureOrdinals =
    1ULL << 62;  ///< ordinals that no training sample has: masks of the pictures

}  // namespace

Faces picture_faces(const Store& store, std::uint64_t seed, torch::Device device) {
  const Permutation choice(store.size(), key_of(seed, Purpose::Samples));
  ByteBatch bytes;
  bytes.image = store.image_size();
  Decoder decoder;
  std::vector<std::byte> encoded;
  for (std::uint64_t i = 0; i < std::min(kPictures, store.size()); ++i) {
    try {
      store.read(choice(i), encoded);
      const Image image = decoder.decode(encoded);
      bytes.pixels.insert(bytes.pixels.end(), image.pixels.begin(), image.pixels.end());
      bytes.ordinals.push_back(kPictureOrdinals + i);
    } catch (const Error& error) {
      spdlog::warn("sample pictures leave out row {}: {}", choice(i), error.what());
    }
  }
  Faces faces;
  faces.images = to_network_input(bytes.pixels, bytes.image, {}, device);
  faces.ordinals = bytes.ordinals;
  faces.rows_of_rank = {static_cast<std::int64_t>(bytes.ordinals.size())};
  return faces;
}

}  // namespace facemae
