#pragma once
// The release as a linear channel with noise, fitted in closed form (A1): which photo explains a picture best?
#include <cstdint>

#include "evaluation/attacks/attacker.h"

namespace facemae {

/// z is a released picture, x a real photo, both as 14 x 14 colour (pixel_features); principal components a of z and
/// b of x are fitted on the attacker's own pairs, then a = b W + noise of covariance C:
///   W = (B'B + 1e-3 tr(B'B)/k I)^-1 B'A,  C = cov(A - BW) + 0.1 tr/k I,
///   score(i, j) = -(a_i - b_j W) C^-1 (a_i - b_j W)'.
/// A picture of several photos is a pair with each of them.
class ChannelAttacker : public Attacker {
 public:
  /// At most `components` of each side; never more than a quarter of the pairs.
  explicit ChannelAttacker(std::int64_t components = 120) : most_(components) {}
  AttackerFacts facts() const override;
  bool learns() const override { return true; }
  /// Throws ConfigError with fewer than 8 pairs.
  void fit(const Lesson& lesson) override;
  /// Throws ConfigError before fit().
  Evidence look(const ReleasedFaces& released, const RealFaces& real) override;

 private:
  std::int64_t most_;
  torch::Tensor released_mean_, real_mean_;  ///< [D]
  torch::Tensor released_map_, real_map_;    ///< [D, k]: to coordinates in which the noise is white
};

/// Rows of norm 1 whose product orders as -|u_i - v_j|^2 does, over all pairs: u [P, k], v [N, k] -> [P, k + 4],
/// [N, k + 4]. With c^2 the largest deviation of a squared norm from its side's mean,
/// -|u - v|^2 / 2 = u.v - (|u|^2 / 2c) c - c (|v|^2 / 2c), and two coordinates that meet zeros make norms equal.
struct Lifted {
  torch::Tensor u, v;
};
Lifted lift_distances(const torch::Tensor& u, const torch::Tensor& v);

}  // namespace facemae
