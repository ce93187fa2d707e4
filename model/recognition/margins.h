#pragma once
// Margin softmax: ArcFace (Deng et al. 2019, arXiv 1801.07698) and CosFace (Wang et al.
// 2018, arXiv 1801.09414).
#include <torch/types.h>

#include <string>

namespace facemae {

struct Margin {
  std::string kind = "arcface";  ///< arcface | cosface
  double m = 0.5;                ///< 0.5 for arcface, 0.4 for cosface
  double scale = 64;
  bool straight_through =
      false;  ///< arcface_torch's present gradient: d(target)/d(cos) = scale, and no fallback
};

/// Logits from cosines: scale * cos, with the margin on target entries (rows i with target[i] >= 0, column
/// target[i]). arcface: cos(theta + m); beyond theta > pi - m it goes on as cos(theta) - m sin(m), monotone.
/// cosines [B, C].
torch::Tensor margin_logits(const torch::Tensor& cosines, const torch::Tensor& target, const Margin& margin);

}  // namespace facemae
