#pragma once
// Numbers of a device on their way to the host, which goes on meanwhile.
#include <c10/core/Event.h>
#include <torch/types.h>

#include <optional>
#include <vector>

namespace facemae {

/// A copy that begins behind what the current stream of the tensor's device was given so far. On an accelerator it
/// goes into page-locked memory and the host waits in values() alone; on the CPU it is made at once.
class Reading {
 public:
  /// `numbers`: [n], float32 or float64.
  explicit Reading(const torch::Tensor& numbers);
  /// The n numbers; waits on the host until they have come.
  std::vector<double> values() const;

 private:
  torch::Tensor host_;
  std::optional<c10::Event> arrived_;
};

}  // namespace facemae
