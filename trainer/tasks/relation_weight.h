#pragma once
// The weight of pretraining's relation (--relation-weight): a number, or auto:R, which holds the relation's gradient at
// R times the pixel gradient. It is made on the device, where the losses need it, so that no host waits for it.
#include <torch/types.h>

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "trainer/step/reading.h"

namespace facemae {

class RelationWeight {
 public:
  /// `weight`: a number or auto:R.
  RelationWeight(const std::string& weight, torch::Device device);

  /// Once a step, before the weight is used: the weight, float64 scalar on the device, of which a checkpoint may have
  /// said something else.
  torch::Tensor begin(const torch::Tensor& weight, std::uint64_t step);
  /// auto:R: whether it is measured in this step, on all ranks or on none: every 200 steps, and while the host knows of
  /// no measurement that succeeded. On an accelerator it learns of one two steps late.
  bool to_be_measured() const;
  /// The weight R |d pixel| / |d relation| from the squares of both norms [2], where it is finite and due; else `weight`.
  torch::Tensor measured(const torch::Tensor& weight, const torch::Tensor& squares) const;

 private:
  bool due() const;

  torch::Tensor fixed_;  ///< undefined: automatic
  double ratio_ = 0;
  std::uint64_t step_ = 0;
  bool known_ = false;           ///< to the host, not to be 0
  std::deque<Reading> earlier_;  ///< of the weight, as steps began
  std::size_t delay_;            ///< in steps, until a reading has come without waiting for it
};

}  // namespace facemae
