#pragma once
// Cosines of faces and classes, which become the logits of a margin softmax, its powers, and its gradient, one after
// the other in one [n, k] buffer, the largest tensor of a recognition step. No graph is made of it, and no value is read
// from its device.
#include <torch/types.h>

#include <cstdint>

#include "model/recognition/margins.h"
#include "model/recognition/unit_rows.h"

namespace facemae {

/// Of n faces and the k classes from `first` on; the softmax may be over more classes, of others.
class ClassLogits {
 public:
  /// faces [n, 512] of norm 1; labels [n] int64 among all classes; centres [k, 512] of any norm, of the same type.
  ClassLogits(torch::Tensor faces, const torch::Tensor& labels, const torch::Tensor& centres,
              std::int64_t first, const Margin& margin);

  /// [2, n]. Row 0: the largest logit of a class that is not the row's own, for the accuracy. Row 1: the largest of all,
  /// for a sum that cannot overflow. Minus infinity where there is none.
  const torch::Tensor& largest() const { return largest_; }
  /// [n], 0 where the row's own class is not among ours: its logit with the margin, and without.
  const torch::Tensor& target() const { return target_; }
  const torch::Tensor& plain() const { return plain_; }
  const torch::Tensor& ours() const { return ours_; }  ///< [n] bool: the row's own class is

  /// Logits become exp(logit - largest), `largest` [n] over all classes. Returns their sums over ours, [n].
  torch::Tensor exponentiate(const torch::Tensor& largest);
  /// Then, powers become d loss / d cosine of the mean cross-entropy, the sum over all rows / `count`; `total` [n] are the
  /// sums over all classes. Adds d loss / d centres to `of_centres` [k, 512]; returns what our classes want of the faces,
  /// d loss / d faces [n, 512]. For the end.
  torch::Tensor differentiate(const torch::Tensor& total, double count, torch::Tensor of_centres) &&;

 private:
  torch::Tensor at_targets() const;                 ///< [n] of the buffer; any value where it is not ours
  void put_at_targets(const torch::Tensor& value);  ///< [n] or a scalar, into the buffer where it is ours

  double scale_;
  torch::Tensor faces_, ours_, columns_;
  UnitRows centres_;
  torch::Tensor buffer_;          ///< [n, k]
  torch::Tensor cosine_, moved_;  ///< [n] of the targets: a leaf, and its logit with the margin as a graph
  torch::Tensor largest_, target_, plain_;
};

}  // namespace facemae
