#pragma once
// The part of pretraining's loss that keeps attackers from linking rebuilt faces to their originals (--linkage-weight).
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "model/facemae/linkage.h"
#include "trainer/step/coupling.h"

namespace facemae {

class LinkageTerm {
 public:
  /// `weight` is a number or auto:R; `kept` the share of patches that the encoder sees.
  LinkageTerm(const std::string& weight, const std::string& attackers, double kept, torch::Device device);

  /// What the attackers look at, side by side [b, F], differentiable in images [b, 3, H, W].
  torch::Tensor features(const torch::Tensor& images) const;
  std::int64_t width() const;  ///< F

  /// The weight, float64 scalar on the device, of which a checkpoint may have said something else.
  torch::Tensor begin(const torch::Tensor& weight) const { return fixed_.defined() ? fixed_ : weight; }
  struct Coupled {
    torch::Tensor gradient;  ///< d loss / d rebuilt, as rebuilt
    torch::Tensor loss;      ///< this rank's share; no gradient
    torch::Tensor hits;      ///< of this rank, by attacker: how often the original scores highest
  };
  /// All ranks: features of rebuilt faces and of originals, of all rows that `faces` couples.
  Coupled couple(const torch::Tensor& rebuilt, const torch::Tensor& originals, Coupling& faces) const;
  /// All ranks. auto:R: max(0, weight + R (found - 2 / faces)) every 50 steps, `found` by the best attacker of all
  /// `faces`; a number stays. Float64 scalars on the device, of which the host reads nothing.
  torch::Tensor next_weight(const torch::Tensor& weight, std::uint64_t step, const torch::Tensor& hits,
                            Coupling& faces) const;

 private:
  torch::Tensor fixed_;  ///< undefined: automatic
  double rate_ = 0;
  std::vector<LinkageKind> attackers_;
  std::vector<std::int64_t> widths_;
  double kept_;
};

}  // namespace facemae
