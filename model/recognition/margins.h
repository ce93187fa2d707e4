#pragma once
// Margin softmax: ArcFace (Deng et al. 2019, arXiv 1801.07698) and CosFace (Wang et al.
// 2018, arXiv 1801.09414).
#include <torch/types.h>

#include <span>
#include <string>

namespace facemae {

struct Margin {
  std::string kind = "arcface";  ///< a name of margin_kinds()
  double m = 0.5;                ///< that of the kind, unless another is asked for
  double scale = 64;
  bool straight_through =
      false;  ///< arcface_torch's present gradient: d(target)/d(cos) = scale, and no fallback
};

/// A row of the table of margins, which is in margins.cpp.
struct MarginKind {
  const char* name;
  const char* help;
  double m;  ///< size of the margin unless another is given
  torch::Tensor (*move)(const torch::Tensor& cosines, const Margin& margin);
};
std::span<const MarginKind> margin_kinds();
const MarginKind& margin_kind(const std::string& name);  ///< throws ConfigError with the nearest name

/// Logits of targets from their cosines, of any shape: scale times the cosine that the margin has moved. arcface:
/// cos(theta + m); beyond theta > pi - m it goes on as cos(theta) - m sin(m), monotone.
torch::Tensor target_logits(const torch::Tensor& cosines, const Margin& margin);

}  // namespace facemae
