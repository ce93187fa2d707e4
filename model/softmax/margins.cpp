#include "model/softmax/margins.h"

#include <torch/torch.h>

#include <cmath>
#include <numbers>

#include "core/kinds.h"

namespace facemae {
namespace {

using torch::Tensor;

// In all formulas c is the cosine of a face to its own class, within [-1, 1], and theta its angle.

/// sin(theta), without the cancellation of 1 - c^2. At |c| = 1, where its slope is infinite, it counts as a constant.
Tensor sine_of(const Tensor& c) {
  const auto square = (1 - c) * (1 + c);
  const auto inside = square > 0;
  return torch::where(inside, torch::where(inside, square, 1).sqrt(), 0);
}
Tensor angle_of(const Tensor& c) { return torch::atan2(sine_of(c), c); }

/// cos(theta + m), m one angle or one for each face.
Tensor turned(const Tensor& c, const Tensor& m) { return c * m.cos() - sine_of(c) * m.sin(); }
/// The same up to theta + m = pi; beyond, where it would grow again, c - m sin(m).
Tensor turned_or_lowered(const Tensor& c, const Tensor& m) {
  return torch::where(c > -m.cos(), turned(c, m), c - m * m.sin());
}
/// On the host, so that it costs a device nothing; takes the type of what it meets.
Tensor one_angle(double m) { return torch::scalar_tensor(m, torch::kFloat64); }

Tensor arcface(const Tensor& c, const MarginFaces& /*faces*/, const Margin& margin) {
  const auto m = one_angle(margin.m);
  return margin.straight_through ? turned(c, m) : turned_or_lowered(c, m);
}
Tensor cosface(const Tensor& c, const MarginFaces& /*faces*/, const Margin& margin) { return c - margin.m; }

/// cos(m1 theta + m) - m3, and from m1 theta + m = pi on, where the cosine is -1, with the slope of c.
Tensor combined(const Tensor& c, const MarginFaces& /*faces*/, const Margin& margin) {
  const auto theta = angle_of(c);
  const double end = std::cos((std::numbers::pi - margin.m) / margin.m1);
  const auto multiplied = turned(c, (margin.m1 - 1) * theta + margin.m);
  return torch::where(margin.m1 * theta + margin.m < std::numbers::pi, multiplied, c - end - 1) - margin.m3;
}

constexpr double kLargestCosine = 0.999, kSmallestAngle = 1e-3;  // adaface

Tensor clipped_norms(const MarginFaces& faces) { return faces.norms.detach().clamp(1e-3, 100); }
/// Of faces, before it is clipped to +-1.
Tensor adaface_quality(const MarginFaces& faces, const Margin& margin) {
  const auto mean = faces.state[0], deviation = faces.state[1];
  return (clipped_norms(faces) - mean) / (deviation + 1e-3) * margin.h;
}
Tensor adaface_clips(const MarginFaces& faces, const Margin& margin) {
  return adaface_quality(faces, margin).abs() > 1;
}
Tensor adaface(const Tensor& c, const MarginFaces& faces, const Margin& margin) {
  const auto quality = adaface_quality(faces, margin).clamp(-1, 1);
  const auto theta = angle_of(c.clamp(-kLargestCosine, kLargestCosine)) - margin.m * quality;
  return theta.clamp(kSmallestAngle, std::numbers::pi - kSmallestAngle).cos() - margin.m * (1 + quality);
}

/// Exponential means of batches: what a new batch adds.
constexpr double kShareOfBatch = 0.01;
Tensor shifted(const Tensor& old, const Tensor& seen) {
  return kShareOfBatch * seen + (1 - kShareOfBatch) * old;
}
/// (mean, unbiased deviation) of the clipped norms; one face has no deviation and leaves the old one.
Tensor adaface_state(const Tensor& state, const MarginFaces& all) {
  const auto norms = clipped_norms(all).to(state.scalar_type());
  const auto deviation = norms.size(0) > 1 ? shifted(state[1], norms.std(/*unbiased=*/true)) : state[1];
  return torch::stack({shifted(state[0], norms.mean()), deviation});
}

constexpr double kSmallestNormOfMagface = 10, kLargestNormOfMagface = 110;

Tensor magface_norms(const MarginFaces& faces) {
  return faces.norms.clamp(kSmallestNormOfMagface, kLargestNormOfMagface);
}
Tensor magface_clips(const MarginFaces& faces, const Margin& /*margin*/) {
  return (faces.norms < kSmallestNormOfMagface).logical_or(faces.norms > kLargestNormOfMagface);
}
Tensor magface(const Tensor& c, const MarginFaces& faces, const Margin& margin) {
  const auto m = margin.m + 0.0035 * (magface_norms(faces) - kSmallestNormOfMagface);
  return torch::where(c > 0, turned(c, m), c);
}
/// Falls with the norm up to the largest one, which rewards what the margin makes harder.
Tensor magface_penalty(const MarginFaces& faces, const Margin& /*margin*/) {
  const auto a = magface_norms(faces);
  return 35 * (a / (kLargestNormOfMagface * kLargestNormOfMagface) + 1 / a);
}

Tensor curricularface(const Tensor& c, const MarginFaces& /*faces*/, const Margin& margin) {
  return turned_or_lowered(c, one_angle(margin.m));
}
/// (mean cosine, unused).
Tensor curricularface_state(const Tensor& state, const MarginFaces& all) {
  const auto mean = all.cosines.detach().clamp(-1, 1).to(state.scalar_type()).mean();
  return torch::stack({shifted(state[0], mean), state[1]});
}
/// A cosine above cos(theta + m) of the face's own class, here without fallback, becomes cosine (t + cosine).
void curricularface_others(Tensor& others, Tensor& factors, const MarginFaces& all, const Margin& margin) {
  const torch::NoGradGuard no_grad;
  const auto own = turned(all.cosines.clamp(-1, 1), one_angle(margin.m)).unsqueeze(1);
  const auto easy = others <= own;
  const auto t = all.state[0];
  if (!margin.straight_through) {
    const auto slopes = others.mul(2).add_(t).masked_fill_(easy, 1);
    factors = factors.defined() ? factors.mul_(slopes) : slopes;
  }
  others.mul_(others.add(t).masked_fill_(easy, 1));
}

constexpr double kDeviationOfElastic = 0.05;

Tensor elastic_sizes(const MarginFaces& faces, const Margin& margin) {
  return faces.draws * kDeviationOfElastic + margin.m;
}
Tensor elastic_arc(const Tensor& c, const MarginFaces& faces, const Margin& margin) {
  return turned_or_lowered(c, elastic_sizes(faces, margin));
}
Tensor elastic_cos(const Tensor& c, const MarginFaces& faces, const Margin& margin) {
  return c - elastic_sizes(faces, margin);
}

using Formula = Tensor(const Tensor& c, const MarginFaces& faces, const Margin& margin);

/// What all margins share: the clamp of computed cosines, and the gradient that is asked for.
template <Formula* formula>
Tensor moved_by(const MarginFaces& faces, const Margin& margin) {
  const auto c = faces.cosines.clamp(-1, 1);
  const auto moved = formula(c, faces, margin);
  return margin.straight_through ? moved.detach() + (c - c.detach()) : moved;
}

constexpr MarginKind kMargins[] = {
    {.name = "arcface",
     .help = "add m to the angle of an image to its class",
     .m = 0.5,
     .move = moved_by<arcface>},
    {.name = "cosface",
     .help = "subtract m from the cosine of that angle",
     .m = 0.4,
     .move = moved_by<cosface>},
    {.name = "combined",
     .help = "multiply the angle by m1 and add m, then subtract m3 from the cosine",
     .m = 0.3,
     .move = moved_by<combined>},
    {.name = "adaface",
     .help = "from an angle for small norms of embeddings to a cosine for large ones",
     .m = 0.4,
     .move = moved_by<adaface>,
     .next_state = adaface_state,
     .first_state = {20, 100},
     .clips = adaface_clips,
     .largest_cosine = kLargestCosine},
    {.name = "magface",
     .help = "add an angle that grows with the norm of the embedding, and reward large norms",
     .m = 0.45,
     .move = moved_by<magface>,
     .penalty = magface_penalty,
     .clips = magface_clips},
    {.name = "curricularface",
     .help = "arcface, and the longer the training, the more weight for the hardest other classes",
     .m = 0.5,
     .move = moved_by<curricularface>,
     .next_state = curricularface_state,
     .needs_cosines = true,
     .move_others = curricularface_others},
    {.name = "elastic-arc",
     .help = "arcface with an m drawn for each image, of deviation 0.05",
     .m = 0.5,
     .move = moved_by<elastic_arc>,
     .draws = true},
    {.name = "elastic-cos",
     .help = "cosface with an m drawn for each image, of deviation 0.05",
     .m = 0.35,
     .move = moved_by<elastic_cos>,
     .draws = true},
};

}  // namespace

std::span<const MarginKind> margin_kinds() { return kMargins; }
const MarginKind& margin_kind(const std::string& name) {
  return row_of(kMargins, name, "choosing the margin of the softmax");
}

}  // namespace facemae
