#pragma once
// What a step asks of whoever makes the gradient of the step from those of its parts.
#include <cstddef>

namespace facemae {

class GradientSums {
 public:
  virtual ~GradientSums() = default;
  virtual void begin() = 0;                          ///< before the first backward pass of a step
  virtual void collect(std::size_t /*own_part*/) {}  ///< the coming backward pass is that of this part
  virtual void reduce_next() {}  ///< the coming micro-batch is the last of the step: sums may begin
  /// After the last backward pass: the gradients of the parameters become those of the step. All ranks. Throws
  /// PeerLost when a rank is gone.
  virtual void finish() = 0;
  /// That finish() waited for other ranks, in steps that are over and were not told yet. On an accelerator by its clock,
  /// and a step late.
  virtual double exposed_seconds() = 0;
};

}  // namespace facemae
