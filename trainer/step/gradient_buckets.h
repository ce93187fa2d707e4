#pragma once
// Sums gradients over ranks while backward is still running. Parameters and their gradients become
// views of flat buckets, filled in reverse order and reduced strictly in that order, so every rank
// issues the same calls.
#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cluster/tensors/communicator.h"
#include "trainer/step/gradient_sums.h"

namespace facemae {

struct Parameter {
  std::string name;
  torch::Tensor value;  ///< a leaf that requires grad; becomes a view of a bucket
  bool decay = true;    ///< weight decay applies
};

/// How gradients lie in memory, and how they travel.
struct BucketConfig {
  std::size_t bytes = 25u << 20, first_bytes = 1u << 20;
  /// Slots begin at multiples of 64 bytes, as vectorised kernels like it. The gaps change the order of additions, so
  /// runs of version 0.1.0 go on without.
  bool aligned = true;
  /// What the ranks send each other: float32, or bfloat16, which is half the bytes and rounds every gradient to 8 bits.
  torch::ScalarType travels_as = torch::kFloat32;
  /// Each rank gets the sum of its own part alone, for its part of the optimizer (ZeRO stage 1, Rajbhandari et al.
  /// 2020, arXiv 1910.02054).
  bool shard = false;
};

/// Parameters with equal decay that are neighbours in backward order, as flat tensors of one type and device.
struct Bucket {
  struct Slot {
    std::string name;
    torch::Tensor value;
    std::int64_t offset = 0;
  };
  torch::Tensor values, gradients;  ///< [n]; 0 between the slots
  /// What this rank's optimizer changes, and by what: all of it, or [n / ranks] of a sharded bucket, whose
  /// `gradients` then remain this rank's own.
  torch::Tensor own_values, own_gradients;
  std::vector<Slot> slots;
  bool decay = true;
  /// The part of a flat tensor of this bucket that belongs to a slot, in the parameter's shape and
  /// memory format.
  static torch::Tensor view(const torch::Tensor& flat, const Slot& slot);
};

/// Not thread-safe; all ranks make it with the same parameters. Its destructor removes its hooks and
/// does not communicate.
class GradientBuckets final : public GradientSums {
 public:
  GradientBuckets(const std::vector<Parameter>& parameters, Communicator& ranks,
                  const BucketConfig& config = {});
  ~GradientBuckets() override;
  GradientBuckets(const GradientBuckets&) = delete;
  GradientBuckets& operator=(const GradientBuckets&) = delete;

  void begin() override;
  void reduce_next() override;  ///< buckets are reduced as their gradients arrive
  /// Blocks until every bucket is summed. Throws Error naming the first bucket with a parameter that got no gradient.
  void finish() override;
  /// Once the host has waited for the step, before anything is done with its sums: throws PeerLost when a
  /// peer or link was lost, which leaves half-reduced gradients behind on CUDA. It covers gathers inside the
  /// graph, too: on CUDA they go through the same communicator, elsewhere waiting has told.
  void check();
  Communicator& ranks();       ///< what sums them
  torch::Tensor norm() const;  ///< Euclidean norm over all gradients, a scalar on the device. All ranks
  void scale(const torch::Tensor& factor);
  double exposed_seconds() override;
  std::vector<Bucket>& buckets();

  std::uint64_t gradient_bytes() const;  ///< of all flats of gradients, also of what travels apart from them
  bool sharded() const;
  /// All ranks. Gives every rank `whole` [n] of the parts [n / ranks] of all, in place of `own` where they are one.
  Work gather(const torch::Tensor& whole, const torch::Tensor& own);
  torch::Tensor own_part(const torch::Tensor& whole) const;  ///< a view: this rank's [n / ranks] of [n]

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace facemae
