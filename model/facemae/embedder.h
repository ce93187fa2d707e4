#pragma once
// Maps faces to the space in which relations are compared.
#include <torch/types.h>

#include <cstdint>
#include <memory>

#include "model/recognition/recognition.h"

namespace facemae {

/// images [B, 3, H, W] in [-1, 1] -> [B, D] float32, also under autocast. Frozen: gradients flow to the images only.
class Embedder {
 public:
  virtual ~Embedder() = default;
  virtual torch::Tensor embed(const torch::Tensor& images) = 0;
  /// Called before a step; a random embedder draws itself anew every K steps from a key.
  virtual void at_step(std::uint64_t step) = 0;
  virtual void to(torch::Device device) = 0;
};

struct RandomEmbedderConfig {
  int size = 56;             ///< images are average-pooled to this side first; 8 or more
  int width = 128;           ///< channels of the three blocks
  int grid = 0;              ///< side of the grid that a larger last map is averaged to; 0: none
  std::uint64_t redraw = 1;  ///< every this many steps; 0: never
  std::uint64_t seed = 0;

  std::int64_t map_side() const;  ///< of the last map, as it is averaged
  std::int64_t values() const { return width * map_side() * map_side(); }  ///< of an embedding
};
/// Three blocks of conv 3x3, instance norm, ReLU, average pooling 2, with random weights; averaged to the grid and
/// flattened: grid * grid * width values. As in dataset condensation (Zhao and Bilen), where random networks serve as
/// feature spaces.
std::unique_ptr<Embedder> random_embedder(const RandomEmbedderConfig& config);
/// A recognition network, from now on in evaluation mode and without gradients of its own; sizes other than
/// 112 are resized (bilinear, antialiased).
std::unique_ptr<Embedder> network_embedder(std::shared_ptr<RecognitionNetwork> network);

}  // namespace facemae
