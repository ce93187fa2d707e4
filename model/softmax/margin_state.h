#pragma once
// What some margins know of the faces that came before: running statistics, the same on every rank.
#include <torch/types.h>

#include <vector>

#include "model/softmax/margins.h"

namespace facemae {

class MarginState {
 public:
  MarginState(const Margin& margin, torch::Device device, torch::ScalarType type = torch::kFloat32);
  bool any() const { return kind_.next_state != nullptr; }
  torch::Tensor& value() {
    return value_;
  }  ///< [2]; of what the checkpoint holds; undefined: the margin has none

  void begin();  ///< of a step
  /// For the softmax of one micro-batch: the value at the step's start, moved by the statistics of all its faces.
  torch::Tensor moved_by(const MarginFaces& all);
  /// After the step: the value, moved once by all its faces, unless `skipped`, a scalar on the device, is 1.
  void end(const torch::Tensor& skipped);
  /// Norms [n] of all faces of the step so far; undefined before the first.
  torch::Tensor norms() const;

 private:
  const MarginKind& kind_;
  torch::Tensor value_;
  std::vector<torch::Tensor> norms_, cosines_;  ///< of micro-batches
};

}  // namespace facemae
