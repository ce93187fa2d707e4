#include "data/image/align.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace facemae {
namespace {

PicturePoint mean_of(const FacePoints& points) {
  PicturePoint mean;
  for (const PicturePoint& p : points) mean.x += p.x / 5, mean.y += p.y / 5;
  return mean;
}

/// Adds the picture's colour at a point, and nothing outside it; the weights of the four neighbours sum to 1.
void add_sample(const Image& image, PicturePoint p, double (&sum)[3]) {
  const double left = std::floor(p.x), top = std::floor(p.y);
  if (!(left >= -1 && top >= -1 && left < image.width && top < image.height)) return;
  const double right_part = p.x - left, lower_part = p.y - top;
  for (int j = 0; j < 2; ++j)
    for (int i = 0; i < 2; ++i) {
      const int x = static_cast<int>(left) + i, y = static_cast<int>(top) + j;
      if (x < 0 || y < 0 || x >= image.width || y >= image.height) continue;
      const double weight = (i == 0 ? 1 - right_part : right_part) * (j == 0 ? 1 - lower_part : lower_part);
      const std::size_t at = (static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) +
                              static_cast<std::size_t>(x)) *
                             3;
      for (std::size_t c = 0; c < 3; ++c) sum[c] += weight * image.pixels[at + c];
    }
}

}  // namespace

Similarity Similarity::inverse() const {
  const double square = a * a + b * b;
  Similarity back{a / square, -b / square, 0, 0};
  const PicturePoint shift = back({dx, dy});
  back.dx = -shift.x;
  back.dy = -shift.y;
  return back;
}

Similarity fit_similarity(const FacePoints& from, const FacePoints& to) {
  const PicturePoint from_mean = mean_of(from), to_mean = mean_of(to);
  double spread = 0, along = 0, across = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const PicturePoint f{from[i].x - from_mean.x, from[i].y - from_mean.y},
        t{to[i].x - to_mean.x, to[i].y - to_mean.y};
    spread += f.x * f.x + f.y * f.y;
    along += f.x * t.x + f.y * t.y;
    across += f.x * t.y - f.y * t.x;
  }
  Similarity fit{along / spread, across / spread, 0, 0};
  if (!(spread > 1e-6) || !std::isfinite(spread) || !(std::hypot(fit.a, fit.b) > 1e-6))
    throw DataError("the five points coincide or do not form a face, which therefore cannot be aligned");
  const PicturePoint moved = fit(from_mean);
  fit.dx = to_mean.x - moved.x;
  fit.dy = to_mean.y - moved.y;
  return fit;
}

Image warp(const Image& image, const Similarity& to_output, int side) {
  const Similarity back = to_output.inverse();
  const double step = std::hypot(back.a, back.b);  // source pixels from one output pixel to the next
  const int samples = static_cast<int>(std::clamp(std::ceil(step - 1e-9), 1.0, 32.0));
  Image result{side, side, {}};
  result.pixels.reserve(static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * 3);
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      double sum[3] = {};
      for (int j = 0; j < samples; ++j)
        for (int i = 0; i < samples; ++i)
          add_sample(image, back({x + (i + 0.5) / samples - 0.5, y + (j + 0.5) / samples - 0.5}), sum);
      for (const double value : sum)
        result.pixels.push_back(
            static_cast<std::uint8_t>(std::clamp(value / (samples * samples) + 0.5, 0.0, 255.0)));
    }
  return result;
}

Image align_face(const Image& image, const FacePoints& points) {
  return warp(image, fit_similarity(points, kArcFaceTemplate), kAlignedSize);
}

}  // namespace facemae
