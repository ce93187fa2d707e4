#pragma once
// Cosines of faces and classes, which become the logits of a softmax, its powers, and its gradient, one after the other
// in one [n, k] buffer, the largest tensor of a recognition step; or, where that would be too large, in a buffer of as
// many classes as fit, a second time for the gradient. No graph is made of it, and no value is read from its device.
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace facemae {

/// How products of faces and centres are computed. Cosines to the own classes are always of float32 (or float64).
enum class LogitPrecision {
  Float32,  ///< that of the inputs, float32 or float64
  Tf32,     ///< on GPUs the inputs are rounded to 11 bits, elsewhere as Float32
  BFloat16  ///< the inputs are rounded to 8 bits; sums and results are not
};

struct LogitConfig {
  double scale = 64;
  std::int64_t classes_at_once = INT64_MAX;  ///< of a buffer
  LogitPrecision precision = LogitPrecision::Float32;
  double largest_cosine = 1;  ///< cosines are clamped to +- this; their gradient stays
  /// Cosines [n, m] of other classes are changed in place; the factors [n, m] of their gradients are 1 if left undefined.
  std::function<void(torch::Tensor& others, torch::Tensor& factors)> move_others;
};

/// Classes of which a rank computes the logits.
struct LogitClasses {
  torch::Tensor centres;  ///< [k, 512], of any norm
  torch::Tensor inverse;  ///< [k], 1 / norms
};
/// Where the own classes of n faces are, and what their logits are.
struct LogitTargets {
  torch::Tensor place;  ///< [n] int64: which of the k classes; others are out of 0 to k - 1
  torch::Tensor logit;  ///< [n], with margin and scale; any value where the class is not among them
};

/// Of n faces and k classes; the softmax may be over more classes, of others.
class ClassLogits {
 public:
  /// faces [n, 512] of norm 1, of the type of the centres.
  ClassLogits(torch::Tensor faces, LogitClasses classes, LogitTargets targets, const LogitConfig& config);

  /// [2, n]. Row 0: the largest scale * cosine of a class that is not the row's own, for the accuracy. Row 1: the largest
  /// logit of all, for a sum that cannot overflow. Minus infinity where there is none.
  const torch::Tensor& largest() const { return largest_; }
  /// Sums of exp(logit - largest) over our classes, [n]; `largest` [n] over all classes. Once.
  torch::Tensor exponentiate(const torch::Tensor& largest);
  /// Then, of a loss that is the sum over all rows of -log softmax / `count`: adds what it wants of the centres, on the way
  /// to which their norms are constants (ClassCentres::gradient() does the rest), to `of_centres` [k, 512] or, if `first`,
  /// writes it there. Returns what our classes want of the faces, [n, 512]. `total` [n]: sums over all classes;
  /// `of_targets` [n]: d loss / d cosine to the own class. For the end.
  torch::Tensor differentiate(const torch::Tensor& total, double count, const torch::Tensor& of_targets,
                              torch::Tensor of_centres, bool first) &&;

 private:
  struct Chunk {
    std::int64_t first, count;
    torch::Tensor column, ours;  ///< [n, 1]: of the own class, where it is among these
  };
  /// Logits [n, m]. Their plain largest into `others` [n] if given.
  torch::Tensor logits(const Chunk& chunk, torch::Tensor* others);
  torch::Tensor product(const torch::Tensor& a, const torch::Tensor& b) const;
  /// sum = beta sum + a b, beta 0 or 1; with 0 it may hold anything before.
  void add_product(torch::Tensor& sum, int beta, const torch::Tensor& a, const torch::Tensor& b) const;
  /// A number, or [n, 1].
  template <class Value>
  static void put_at_targets(torch::Tensor& buffer, const Chunk& chunk, const Value& value);

  torch::Tensor faces_;
  LogitClasses classes_;
  LogitTargets targets_;
  LogitConfig config_;
  std::vector<Chunk> chunks_;
  torch::Tensor buffer_, factors_;  ///< of the last chunk; factors: undefined without move_others
  torch::Tensor largest_, sums_;    ///< sums: of several chunks, over largest_[1]
};

}  // namespace facemae
