#pragma once
// One rank's part of a micro-batch as tensors on the training device.
#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/loader/loader.h"

namespace facemae {

struct Faces {
  torch::Tensor images;  ///< [b, 3, H, W] in [-1, 1]
  torch::Tensor labels;  ///< [b] int64; undefined on an accelerator where nobody reads them
  torch::Tensor noise;   ///< [b, NoiseConfig::values] float64 where it was drawn ahead, else undefined
  std::vector<std::uint64_t> ordinals;     ///< counters of every random choice about a face
  std::vector<std::int64_t> rows_of_rank;  ///< rows of the micro-batch on every rank
  std::uint64_t step = 0;
  int micro = 0;
  std::size_t part = 0;             ///< which of this rank's parts of the micro-batch
  std::int64_t micro_rows() const;  ///< over all ranks
};

/// What a task reads of faces beside their pixels, so that it can be at the device before it is asked for.
struct FaceNeeds {
  bool labels = true;
  std::int64_t classes = 0;  ///< labels are classes, below this; 0: no classes
  bool labels_of_step =
      false;  ///< those of all ranks' faces are wanted on the host before a step's first pass
  NoiseConfig noise;
};

/// Is the face of this ordinal mirrored?
bool is_mirrored(std::uint64_t seed, std::uint64_t ordinal);

/// Normalises (and converts from planes), and mirrors where the ordinal's key says so.
Faces to_faces(const ByteBatch& bytes, const BatchPlan& plan, std::uint64_t seed, bool flip,
               torch::Device device);

/// This rank's slots of a micro-batch (coupling.h): each on tensors of its own, made of its own rows alone.
std::vector<Faces> to_slots(const ByteBatch& bytes, const BatchPlan& plan, int rank, std::uint64_t seed,
                            bool flip, torch::Device device);

}  // namespace facemae
