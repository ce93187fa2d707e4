#pragma once
// Trained networks at work on pictures in memory, shared out over the ranks.
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>

#include "cluster/world/world.h"
#include "evaluation/linkage/row_memory.h"
#include "model/recognition/recognition.h"

namespace facemae {

/// [b, 3, H, W] float32 in [-1, 1] on the device of the world -> [b, ...].
using OfPictures = std::function<torch::Tensor(const torch::Tensor& images)>;

/// All ranks: pictures [P, 3, H, W] uint8 -> [P, width] float32 on the host of every rank, rows L2-normalised. Throws
/// AgreedError where a value is not finite. `memory` belongs to this `to_rows`, and spares it what it has seen.
torch::Tensor features_of(const torch::Tensor& pictures, std::int64_t width, World& world,
                          const OfPictures& to_rows, RowMemory& memory);

/// All ranks: pictures [P, 3, H, W] uint8 -> pictures of the same shape and type on the host of every rank.
torch::Tensor pictures_of(const torch::Tensor& pictures, World& world, const OfPictures& to_images);

/// All ranks: [P, network.width()] by a recognition network in evaluation mode, on the device of the world; each picture and its
/// mirror image, as `facemae embed` does. Pictures of another size than 112 are resized. `memory` belongs to this network,
/// which trains no longer.
torch::Tensor embeddings_of(const torch::Tensor& pictures, RecognitionNetwork& network, World& world,
                            RowMemory& memory);

}  // namespace facemae
