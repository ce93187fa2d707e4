#pragma once
// The cosine relation from sums over faces instead of pairs of faces: what travels does not grow with the batch.
//
// With unit rows u (real) and v (rebuilt), a = u - v and b = u + v, a pair's gap u_i.u_j - v_i.v_j is
// (a_i.b_j + b_i.a_j) / 2, hence
//   sum over i, j of the gap's square = ((A'A) . (B'B) + (B'A) . (B'A)') / 2,   X . Y = sum of X_kl Y_kl,
// of which the diagonal's part, (u_i.u_i - v_i.v_i)^2, is taken away. No large numbers cancel: the terms are as small
// as the gaps. b own rows, D their width, G rows of all ranks.
#include <torch/types.h>

#include <cstdint>

#include "cluster/tensors/communicator.h"

namespace facemae {

class CosineSums {
 public:
  /// All ranks: sums three [D, D]. real, rebuilt [b, D]: unit rows (or zero) in float64, because a is their
  /// difference; `rebuilt` may have a graph. Products are computed in `type`.
  CosineSums(const torch::Tensor& real, const torch::Tensor& rebuilt, torch::ScalarType type,
             Communicator& ranks);

  /// Own rows' share of the mean over `pairs` pairs of the gap's square, float64. Differentiable in `rebuilt`, in
  /// whose gradient the pairs of all ranks are: backward sends nothing.
  torch::Tensor share(double pairs) const;

  /// Own rows' share of the correlation of the two cosine matrices over their `pairs` entries off the diagonal,
  /// float64, no gradient. All ranks: sums O(D).
  torch::Tensor correlation(double pairs) const;

 private:
  Communicator& ranks_;
  torch::Tensor real_, rebuilt_, difference_, sum_;  ///< [b, D] float64, no graph but rebuilt's
  torch::Tensor a_, b_;                              ///< the last two in `type`
  torch::Tensor aa_, bb_, ba_;                       ///< A'A, B'B, B'A of all ranks
};

}  // namespace facemae
