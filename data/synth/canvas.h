#pragma once
// Paints anti-aliased shapes: they are signed distances, evaluated in the coordinates of a turned
// head. Uses only +, -, *, / and sqrt (compiled without contraction), so equal inputs give equal
// pixels on every machine.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "data/image/image.h"

namespace facemae {

struct Rgb {
  float r = 0, g = 0, b = 0;
  friend Rgb operator*(Rgb c, float f) { return {c.r * f, c.g * f, c.b * f}; }
  friend Rgb operator*(Rgb c, Rgb d) { return {c.r * d.r, c.g * d.g, c.b * d.b}; }
  friend Rgb operator+(Rgb c, Rgb d) { return {c.r + d.r, c.g + d.g, c.b + d.b}; }
};
inline Rgb blend(Rgb from, Rgb to, float t) { return from * (1 - t) + to * t; }

struct Point {
  float x = 0, y = 0;
};
/// Half-open pixel rectangle.
struct Box {
  int left, top, right, bottom;
};

inline float clamp01(float v) { return std::min(1.0F, std::max(0.0F, v)); }
inline float smooth(float t) {
  t = clamp01(t);
  return t * t * (3 - 2 * t);
}
/// Sine and cosine by Taylor series, |angle| <= pi: libm's last bits differ between machines.
float sine(float angle);
float cosine(float angle);

/// v - floor(v) for |v| < 2^31.
inline float fraction(float v) {
  const float part = v - static_cast<float>(static_cast<std::int32_t>(v));
  return part < 0 ? part + 1 : part;
}

/// Signed distance (first order) to an ellipse around `centre`, turned by the angle with cosine c and sine s.
inline float ellipse(Point p, Point centre, float a, float b, float c = 1, float s = 0) {
  const float dx = p.x - centre.x, dy = p.y - centre.y;
  const float u = (c * dx + s * dy) / a, v = (c * dy - s * dx) / b;
  const float f = u * u + v * v - 1;
  const float gu = u / a, gv = v / b;
  return f / (2 * std::sqrt(gu * gu + gv * gv) + 1e-4F);
}

/// The head's turn and the camera's similarity: head (x, y, z) -> pixel. Depth comes from a paraboloid.
class View {
 public:
  /// One depth model per layer of the head.
  enum class Layer { Back, Head, Skin, Nose };
  static constexpr int kLayers = 4;

  View(float yaw, float pitch);
  /// Fits the projected points to `targets` by least squares (similarity), then turns, zooms and shifts
  /// around the middle of the picture.
  void align(const std::vector<Point>& points, const std::vector<Layer>& layers,
             const std::vector<Point>& targets, float roll, float zoom, Point shift);
  Point project(Point head, Layer layer) const;     ///< pixel coordinates
  Point unproject(Point pixel, Layer layer) const;  ///< head coordinates
  float turn_x() const { return sin_yaw_; }
  float turn_y() const { return sin_pitch_; }

 private:
  template <Layer layer>
  Point solve(Point flat) const;
  Point turn(Point head, Layer layer) const;
  float sin_yaw_, cos_yaw_, sin_pitch_, cos_pitch_;
  float a_ = 1, b_ = 0, shift_x_ = 0, shift_y_ = 0;  ///< pixel = (a x - b y + shift_x, b x + a y + shift_y)
};

/// A float RGB picture of one size with the head coordinates of every pixel in every layer.
class Canvas {
 public:
  static constexpr int kSide = 112;
  explicit Canvas(const View& view);

  /// The pixels that the head-coordinate rectangle may touch, with a margin.
  Box around(float left, float top, float right, float bottom, View::Layer layer) const;
  static constexpr Box whole() { return {0, 0, kSide, kSide}; }

  /// Blends colour(p) over the picture where distance(p) < 0, over an edge `soft` pixels
  /// wide, with opacity alpha.
  template <class Distance, class Colour>
  void paint(Box box, View::Layer layer, float soft, float alpha, Distance distance, Colour colour) {
    const auto& field = fields_[static_cast<std::size_t>(layer)];
    const float scale = 1 / soft;
    for (int y = box.top; y < box.bottom; ++y) {
      for (int x = box.left; x < box.right; ++x) {
        const std::size_t i = static_cast<std::size_t>(y * kSide + x);
        const Point p = field[i];
        const float cover = clamp01(0.5F - distance(p) * scale) * alpha;
        if (cover > 0) pixels_[i] = blend(pixels_[i], colour(p), cover);
      }
    }
  }
  /// pixel = change(pixel, head point of the layer, x, y) everywhere.
  template <class Change>
  void each(View::Layer layer, Change change) {
    const auto& field = fields_[static_cast<std::size_t>(layer)];
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        const std::size_t i = static_cast<std::size_t>(y * kSide + x);
        pixels_[i] = change(pixels_[i], field[i], x, y);
      }
    }
  }
  /// Separable 3-tap blur with side weight k in 0..1/3.
  void blur(float k);
  /// Converts to 8 bits, with noise of about `noise` standard deviations (of full scale) drawn from the key.
  Image finish(float noise, std::uint64_t noise_key) const;

 private:
  const View& view_;
  std::vector<Rgb> pixels_;
  std::array<std::vector<Point>, View::kLayers> fields_;
};

}  // namespace facemae
