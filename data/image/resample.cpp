#include "data/image/resample.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace facemae {
namespace {

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

/// Weights of the source positions that make up each target position: `count` per position.
class Taps {
 public:
  Taps(int from, int to, Resampling kind, ResampleBuffers& working)
      : from_(from), scale_(static_cast<double>(from) / to), working_(working) {
    working.from.clear();
    working.weights.clear();
    const bool shrinks = scale_ > 1;
    if (kind == Resampling::Area && !shrinks) kind = Resampling::Linear;
    for (int i = 0; i < to; ++i) {
      switch (kind) {
        case Resampling::Nearest:
          add(std::min(from - 1, static_cast<int>(i * scale_)), 1);
          break;
        case Resampling::Area:
          add_area(i);
          break;
        case Resampling::Linear:
          add_around(i, 1, [](double x) { return 1 - std::abs(x); });
          break;
        case Resampling::Cubic:
          add_around(i, 2, cubic);
          break;
        case Resampling::Lanczos:
          add_around(i, 4, lanczos);
          break;
      }
    }
    count = working.from.size() / static_cast<std::size_t>(to);
  }
  std::size_t count = 0;

 private:
  void add(int position, double weight) {
    working_.from.push_back(std::clamp(position, 0, from_ - 1));
    working_.weights.push_back(static_cast<float>(weight));
  }
  /// As many as the widest position needs: the others are padded with weights of 0.
  void add_area(int i) {
    const double begin = i * scale_, end = (i + 1) * scale_;
    const int first = static_cast<int>(begin), most = static_cast<int>(std::ceil(scale_)) + 1;
    for (int s = first; s < first + most; ++s)
      add(s, std::max(0.0, std::min<double>(end, s + 1) - std::max<double>(begin, s)) / scale_);
  }
  /// A kernel of half-width `reach` around the target's centre.
  template <class Kernel>
  void add_around(int i, int reach, Kernel kernel) {
    const double centre = (i + 0.5) * scale_ - 0.5;
    const int left = static_cast<int>(std::floor(centre)) - reach + 1;
    double sum = 0;
    for (int s = left; s < left + 2 * reach; ++s) sum += kernel(centre - s);
    for (int s = left; s < left + 2 * reach; ++s) add(s, kernel(centre - s) / sum);
  }

  const int from_;
  const double scale_;
  ResampleBuffers& working_;
};

/// Resamples rows of `width` floats by the taps: whole rows are added, which compilers turn
/// into vector instructions.
void resample_rows(const std::vector<float>& in, std::size_t width, std::vector<float>& out, std::size_t to,
                   std::size_t taps, const ResampleBuffers& working) {
  out.assign(to * width, 0);
  for (std::size_t y = 0; y < to; ++y) {
    float* row = out.data() + y * width;
    for (std::size_t k = y * taps; k < (y + 1) * taps; ++k) {
      const float* source = in.data() + static_cast<std::size_t>(working.from[k]) * width;
      const float weight = working.weights[k];
      for (std::size_t x = 0; x < width; ++x) row[x] += weight * source[x];
    }
  }
}

/// [rows, columns, 3] to [columns, rows, 3].
void turn(const std::vector<float>& in, std::size_t rows, std::size_t columns, std::vector<float>& out) {
  out.resize(rows * columns * 3);
  for (std::size_t y = 0; y < rows; ++y)
    for (std::size_t x = 0; x < columns; ++x)
      std::copy_n(&in[(y * columns + x) * 3], 3, &out[(x * rows + y) * 3]);
}

}  // namespace

void resample(const std::vector<float>& in, int from, std::vector<float>& out, int to, Resampling kind,
              ResampleBuffers& working) {
  const auto before = static_cast<std::size_t>(from), after = static_cast<std::size_t>(to);
  const Taps taps(from, to, kind, working);
  resample_rows(in, before * 3, working.rows, after, taps.count, working);
  turn(working.rows, after, before, working.turned);
  resample_rows(working.turned, after * 3, working.columns, after, taps.count, working);
  turn(working.columns, after, after, out);
}

}  // namespace facemae
