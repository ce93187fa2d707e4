#pragma once
// The part of pretraining's loss that keeps attackers from linking rebuilt faces to their originals (--linkage-weight).
#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/facemae/linkage.h"
#include "trainer/step/coupling.h"

namespace facemae {

class LinkageTerm {
 public:
  /// `weight` is a number or auto:R; `kept` the share of patches that the encoder sees.
  LinkageTerm(const std::string& weight, const std::string& attackers, double kept);

  /// What the attackers look at, side by side [b, F], differentiable in images [b, 3, H, W].
  torch::Tensor features(const torch::Tensor& images) const;
  std::int64_t width() const;  ///< F

  /// The weight, of which a checkpoint may have said something else.
  double begin(double weight) const { return fixed_.value_or(weight); }
  struct Coupled {
    torch::Tensor gradient;  ///< d loss / d rebuilt, as rebuilt
    torch::Tensor loss;      ///< this rank's share; no gradient
    double found = 0;        ///< by the best attacker, of all faces: how often the original scores highest
  };
  /// All ranks: features of rebuilt faces and of originals, of all rows that `faces` couples.
  Coupled couple(const torch::Tensor& rebuilt, const torch::Tensor& originals, Coupling& faces) const;
  /// auto:R: max(0, weight + R (found - 2 / faces)), every 50 steps; a number stays.
  double next_weight(double weight, std::uint64_t step, double found, std::int64_t faces) const;

 private:
  std::optional<double> fixed_;
  double rate_ = 0;
  std::vector<LinkageKind> attackers_;
  std::vector<std::int64_t> widths_;
  double kept_;
};

}  // namespace facemae
