#include "data/resample.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace facemae {
namespace {

/// One target position: weights of source positions.
struct Tap {
  std::vector<int> from;
  std::vector<float> weight;
};

double cubic(double x) {
  constexpr double a = -0.75;
  x = std::abs(x);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}
double lanczos(double x) {
  if (std::abs(x) < 1e-9) return 1;
  if (std::abs(x) >= 4) return 0;
  const double p = std::numbers::pi * x;
  return std::sin(p) * std::sin(p / 4) * 4 / (p * p);
}

Tap nearest(int i, double scale, int from) {
  return {{std::min(from - 1, static_cast<int>(i * scale))}, {1}};
}
Tap area(int i, double scale, int from) {
  Tap tap;
  const double begin = i * scale, end = std::min<double>((i + 1) * scale, from);
  for (int s = static_cast<int>(begin); s < end; ++s) {
    tap.from.push_back(s);
    tap.weight.push_back(
        static_cast<float>((std::min<double>(end, s + 1) - std::max<double>(begin, s)) / (end - begin)));
  }
  return tap;
}
/// Kernel of half-width `reach` around the target's centre.
template <class Kernel>
Tap around(int i, double scale, int from, int reach, Kernel kernel) {
  Tap tap;
  const double centre = (i + 0.5) * scale - 0.5;
  const int left = static_cast<int>(std::floor(centre)) - reach + 1;
  double sum = 0;
  std::vector<double> weights;
  for (int s = left; s < left + 2 * reach; ++s) {
    tap.from.push_back(std::clamp(s, 0, from - 1));
    sum += weights.emplace_back(kernel(centre - s));
  }
  for (const double weight : weights) tap.weight.push_back(static_cast<float>(weight / sum));
  return tap;
}

Tap tap_of(int i, int from, int to, Resampling kind) {
  const double scale = static_cast<double>(from) / to;
  switch (kind) {
    case Resampling::Nearest:
      return nearest(i, scale, from);
    case Resampling::Area:
      if (scale > 1) return area(i, scale, from);
      break;
    case Resampling::Cubic:
      return around(i, scale, from, 2, cubic);
    case Resampling::Lanczos:
      return around(i, scale, from, 4, lanczos);
    case Resampling::Linear:
      break;
  }
  return around(i, scale, from, 1, [](double x) { return 1 - std::abs(x); });
}

}  // namespace

void resample(const std::vector<float>& in, int from, std::vector<float>& out, int to, Resampling kind,
              std::vector<float>& between) {
  const auto in_row = static_cast<std::size_t>(from) * 3, out_row = static_cast<std::size_t>(to) * 3;
  between.assign(static_cast<std::size_t>(to) * in_row, 0);
  out.assign(static_cast<std::size_t>(to) * out_row, 0);
  std::vector<Tap> taps;
  for (int i = 0; i < to; ++i) taps.push_back(tap_of(i, from, to, kind));
  for (std::size_t y = 0; y < taps.size(); ++y) {
    float* row = between.data() + y * in_row;
    for (std::size_t k = 0; k < taps[y].from.size(); ++k) {
      const float* source = in.data() + static_cast<std::size_t>(taps[y].from[k]) * in_row;
      const float weight = taps[y].weight[k];
      for (std::size_t x = 0; x < in_row; ++x) row[x] += weight * source[x];
    }
  }
  for (std::size_t y = 0; y < taps.size(); ++y) {
    const float* row = between.data() + y * in_row;
    float* target = out.data() + y * out_row;
    for (std::size_t x = 0; x < taps.size(); ++x) {
      for (std::size_t k = 0; k < taps[x].from.size(); ++k) {
        const float* source = row + static_cast<std::size_t>(taps[x].from[k]) * 3;
        for (std::size_t c = 0; c < 3; ++c) target[x * 3 + c] += taps[x].weight[k] * source[c];
      }
    }
  }
}

}  // namespace facemae
