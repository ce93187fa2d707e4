#pragma once
// Embeddings of many images, sharded over ranks.
#include <torch/types.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "cluster/world/world.h"
#include "data/image/image.h"
#include "data/store/store.h"
#include "model/recognition/recognition.h"
#include "trainer/step/precision.h"

namespace facemae {

/// Encoded images by number; read() throws DataError or FileError.
struct ImageSet {
  std::size_t size = 0;
  bool stored = false;  ///< of a store: taken as they lie, as training does
  std::function<std::vector<std::byte>(std::size_t)> read;
  std::function<std::string(std::size_t)> name;  ///< for messages and name lists
  /// Forgets all images but [first, last), where they are held in memory.
  std::function<void(std::size_t first, std::size_t last)> keep = [](std::size_t, std::size_t) {};
};
ImageSet images_of(std::shared_ptr<const Store> store, std::vector<std::uint64_t> rows);
ImageSet images_of(std::vector<Path> files);
ImageSet images_of(std::vector<std::vector<std::byte>> encoded);

/// An image of the set as network input, 112 x 112: upright, and of another size fitted by fit_square().
/// Throws DataError.
Image as_face(const ImageSet& images, const std::vector<std::byte>& encoded, Decoder& decoder);

/// Forgets the images that embed_images() gives to other ranks to embed.
void keep_own(const ImageSet& images, int rank, int ranks);

struct EmbedConfig {
  bool flip_sum = true;  ///< add the mirrored image's embedding
  bool normalise = true;
  bool bgr = false;  ///< for imported weights that were trained on BGR
  Precision precision = Precision::Float32;
  std::int64_t batch = 64;
  bool show_progress = true;
  bool refuse_not_finite = true;  ///< DataError for an image whose embedding is not; training has its own way
};
/// Embeds images [first, last) batch by batch and gives `sink` each batch as [k, network.width()] float32 on the host, in
/// order. One rank's part: does not communicate. The network is on `device`, in evaluation mode. Throws
/// DataError naming the image.
void embed_range(const ImageSet& images, std::size_t first, std::size_t last, RecognitionNetwork& network,
                 torch::Device device, const EmbedConfig& config,
                 const std::function<void(const torch::Tensor&)>& sink, bool show_progress);

/// [n, network.width()] float32 on the host of every rank, in order. All ranks. The network is on
/// world.device(), in evaluation mode.
torch::Tensor embed_images(const ImageSet& images, RecognitionNetwork& network, World& world,
                           const EmbedConfig& config);

}  // namespace facemae
