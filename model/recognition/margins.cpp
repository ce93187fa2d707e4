#include "model/recognition/margins.h"

#include <torch/torch.h>

#include <cmath>
#include <numbers>

#include "core/kinds.h"

namespace facemae {
namespace {

/// cos(theta + m) for cosines c, and its monotone continuation where theta + m > pi.
torch::Tensor add_angle(const torch::Tensor& c, double m) {
  // The slope of sin is infinite at |c| = 1: the floor keeps the gradient finite there and changes no value
  // that a float32 cosine can tell from 1.
  const double floor = c.scalar_type() == torch::kFloat64 ? 1e-15 : 1e-7;
  const auto sine = (1 - c * c).clamp_min(floor).sqrt();
  const auto turned = c * std::cos(m) - sine * std::sin(m);
  return torch::where(c > std::cos(std::numbers::pi - m), turned, c - m * std::sin(m));
}

/// The value of cos(theta + m) with the gradient of c.
torch::Tensor add_angle_straight_through(const torch::Tensor& c, double m) {
  const auto value = c.detach();
  return c + ((value.acos() + m).cos() - value);
}

torch::Tensor arcface(const MarginFaces& faces, const Margin& margin) {
  const auto c = faces.cosines.clamp(-1, 1);
  return margin.straight_through ? add_angle_straight_through(c, margin.m) : add_angle(c, margin.m);
}
torch::Tensor cosface(const MarginFaces& faces, const Margin& margin) {
  return faces.cosines.clamp(-1, 1) - margin.m;
}

constexpr MarginKind kMargins[] = {
    {"arcface", "add m to the angle of an image to its class", 0.5, arcface},
    {"cosface", "subtract m from the cosine of that angle", 0.4, cosface},
};

}  // namespace

std::span<const MarginKind> margin_kinds() { return kMargins; }
const MarginKind& margin_kind(const std::string& name) {
  return row_of(kMargins, name, "choosing the margin of the softmax");
}

torch::Tensor target_logits(const torch::Tensor& cosines, const Margin& margin) {
  return margin_kind(margin.kind).move({.cosines = cosines}, margin) * margin.scale;
}

}  // namespace facemae
