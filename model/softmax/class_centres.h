#pragma once
// The centres of this rank's classes, those of them that take part in a step's softmax, and their gradient.
#include <torch/types.h>

#include <cstdint>
#include <future>
#include <vector>

#include "cluster/tensors/communicator.h"
#include "model/recognition/recognition.h"
#include "model/softmax/class_sample.h"
#include "model/softmax/class_shards.h"

namespace facemae {

/// The classes of this rank that take part in a step.
struct ActiveClasses {
  torch::Tensor rows;     ///< int64 [k], own class rows, ascending, on the device; undefined: all
  torch::Tensor centres;  ///< [k, 512]
  torch::Tensor inverse;  ///< [k], 1 / norms (unit_rows.h: at least kLeastNorm)
  std::vector<std::int64_t>
      bounds;  ///< of own virtual shards: shard i has [bounds[i], bounds[i + 1]) of the k
};

class ClassCentres {
 public:
  /// Centres N(0, 0.01^2) drawn by class id, and so the same for any world. `rate`: what fraction of the classes of each
  /// virtual shard takes part in a step, at least (class_sample.h). `width`: values of an embedding. `ranks` must outlive
  /// it.
  ClassCentres(std::int64_t classes, std::int64_t shards, std::uint64_t seed, Communicator& ranks,
               torch::Device device, torch::ScalarType type = torch::kFloat32, double rate = 1,
               std::int64_t width = kEmbeddingWidth);

  torch::Tensor& weight() { return weight_; }  ///< [own classes, width]
  ClassRange range() const { return range_; }
  std::int64_t classes() const { return own_.classes; }
  std::int64_t virtual_shards() const { return own_.shards; }
  bool samples() const { return own_.rate < 1; }  ///< begin() wants labels
  Communicator& ranks() { return ranks_; }

  /// Begins a step, whose sample is drawn on a thread of its own until active() is called. `labels`: see sample_classes();
  /// not looked at when all classes take part.
  void begin(std::uint64_t step, std::vector<std::int64_t> labels = {});
  const ActiveClasses& active();
  /// Where the classes `labels` [n] int64 are among the k active ones, [n]; below 0 or from k on: not here.
  torch::Tensor place_of(const torch::Tensor& labels);

  /// [k, 512] of the active classes, into which a softmax of the step adds d loss / d centres as if norms were constants.
  /// `first`: the softmax is the step's first, and has to write instead of adding.
  torch::Tensor gradient_to_add(bool& first);
  /// d loss / d centres [k, 512], after the last softmax of the step. Zero where there was none.
  torch::Tensor gradient();

 private:
  void take(const ClassSample& sample);

  SampledClasses own_;
  Communicator& ranks_;
  ClassRange range_;
  torch::Tensor weight_;
  std::future<ClassSample> drawn_;
  std::vector<std::int64_t> bounds_of_all_;
  ActiveClasses active_;
  torch::Tensor taken_,
      gradients_;  ///< memory of active centres and their gradient, as much as a step has ever needed
  bool ready_ = false, added_ = false, projected_ = false;
};

}  // namespace facemae
