#pragma once
// Sums gradients over ranks while backward is still running. Parameters and their gradients become
// views of flat buckets, filled in reverse order and reduced strictly in that order, so every rank
// issues the same calls.
#include <torch/types.h>

#include <cstddef>
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

/// Parameters with equal decay that are neighbours in backward order, as flat tensors of one type and device.
struct Bucket {
  struct Slot {
    std::string name;
    torch::Tensor value;
    std::int64_t offset = 0;
  };
  torch::Tensor values, gradients;  ///< [n]
  std::vector<Slot> slots;
  bool decay = true;
  /// The part of a flat tensor of this bucket that belongs to a slot, in the parameter's shape.
  static torch::Tensor view(const torch::Tensor& flat, const Slot& slot);
};

/// Not thread-safe; all ranks make it with the same parameters. Its destructor removes its hooks and
/// does not communicate.
class GradientBuckets final : public GradientSums {
 public:
  GradientBuckets(std::vector<Parameter> parameters, Communicator& ranks,
                  std::size_t bucket_bytes = 25u << 20, std::size_t first_bucket_bytes = 1u << 20);
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
  torch::Tensor norm() const;  ///< Euclidean norm over all gradients, a scalar on the device
  void scale(const torch::Tensor& factor);
  double exposed_seconds() const override { return exposed_seconds_; }
  std::vector<Bucket>& buckets();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
  double exposed_seconds_ = 0;
};

}  // namespace facemae
