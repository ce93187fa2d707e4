#pragma once
// Embeddings of many images, sharded over ranks.
#include <torch/types.h>

#include <cstddef>
#include <functional>
#include <optional>

#include "cluster/world/world.h"
#include "model/recognition/recognition.h"
#include "trainer/images/image_set.h"
#include "trainer/step/precision.h"

namespace facemae {

struct EmbedConfig {
  bool flip_sum = true;  ///< add the mirrored image's embedding
  bool normalise = true;
  bool bgr = false;  ///< for imported weights that were trained on BGR
  Precision precision = Precision::Float32;
  std::int64_t batch = 64;
  int decoders = 1;  ///< threads that decode beside the network
  bool show_progress = true;
  bool refuse_not_finite = true;  ///< DataError for an image whose embedding is not; training has its own way
};
/// Takes each batch, in order: embeddings [k, width] and norms [k], float32 on the host. A norm is that of the raw
/// embedding, with flip_sum the mean of those of the image and of its mirror image.
using EmbeddingSink = std::function<void(const torch::Tensor& rows, const torch::Tensor& norms)>;
/// Embeds images [first, last) batch by batch, while the next one is decoded on threads of its own. One rank's part: does
/// not communicate. The network is on `device`, in evaluation mode. Throws DataError naming the image.
void embed_range(const ImageSet& images, std::size_t first, std::size_t last, RecognitionNetwork& network,
                 torch::Device device, const EmbedConfig& config, const EmbeddingSink& sink,
                 bool show_progress);

struct Embeddings {
  torch::Tensor
      rows;  ///< [n, width] float32 on the host, in the order of the images; undefined but on rank 0
  /// Mean of the norms that EmbeddingSink gets; nothing where it is not known.
  std::optional<double> xnorm = {};
};
/// All ranks; only rank 0 ever holds the embeddings of others. Every rank decodes and embeds own_images(). The network is
/// on world.device(), in evaluation mode. Throws AgreedError.
Embeddings embed_images(const ImageSet& images, RecognitionNetwork& network, World& world,
                        const EmbedConfig& config);

}  // namespace facemae
