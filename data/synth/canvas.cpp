#include "data/synth/canvas.h"

#include "core/random/keys.h"

namespace facemae {
namespace {

constexpr float kHeadWidth = 46, kHeadHeight = 66, kBulge = 24;

template <View::Layer layer>
inline float depth(Point p) {
  if constexpr (layer == View::Layer::Back) return -14;
  const float u = p.x * (1 / kHeadWidth), v = p.y * (1 / kHeadHeight);
  const float skin = std::max(-4.0F, kBulge * (1 - u * u - v * v));
  if constexpr (layer == View::Layer::Skin) return skin;
  // The nose rises from the bridge (y = -18) to the tip (y = 6) and falls steeply below.
  const float along = p.y < 6 ? (p.y + 18) * (1.0F / 24) : 1 - (p.y - 6) * 0.1F;
  return skin + 9 * smooth(along);
}

}  // namespace

float sine(float angle) {
  const double x = angle, q = x * x;
  double term = x, sum = x;
  for (int k = 1; k <= 9; ++k) {
    term = -term * q / static_cast<double>((2 * k) * (2 * k + 1));
    sum += term;
  }
  return static_cast<float>(sum);
}

float cosine(float angle) {
  const double q = static_cast<double>(angle) * angle;
  double term = 1, sum = 1;
  for (int k = 1; k <= 9; ++k) {
    term = -term * q / static_cast<double>((2 * k - 1) * (2 * k));
    sum += term;
  }
  return static_cast<float>(sum);
}

View::View(float yaw, float pitch)
    : sin_yaw_(sine(yaw)), cos_yaw_(cosine(yaw)), sin_pitch_(sine(pitch)), cos_pitch_(cosine(pitch)) {}

Point View::turn(Point head, Layer layer) const {
  if (layer == Layer::Head) return head;  // an ellipsoid's outline hardly changes when it turns
  const float z = layer == Layer::Back   ? depth<Layer::Back>(head)
                  : layer == Layer::Skin ? depth<Layer::Skin>(head)
                                         : depth<Layer::Nose>(head);
  return {head.x * cos_yaw_ + z * sin_yaw_, head.y * cos_pitch_ - z * sin_pitch_};
}

Point View::project(Point head, Layer layer) const {
  const Point t = turn(head, layer);
  return {a_ * t.x - b_ * t.y + shift_x_, b_ * t.x + a_ * t.y + shift_y_};
}

template <View::Layer layer>
inline Point View::solve(Point flat) const {
  // Fixed point of x = (X - z(x, y) sin) / cos: contracts for the angles that are drawn.
  const float wide = 1 / cos_yaw_, tall = 1 / cos_pitch_;
  Point p = flat;
  for (int i = 0; i < (layer == Layer::Back ? 1 : 3); ++i) {
    const float z = depth<layer>(p);
    p = {(flat.x - z * sin_yaw_) * wide, (flat.y + z * sin_pitch_) * tall};
  }
  return p;
}

Point View::unproject(Point pixel, Layer layer) const {
  const float inverse = 1 / (a_ * a_ + b_ * b_), dx = pixel.x - shift_x_, dy = pixel.y - shift_y_;
  const Point flat{(a_ * dx + b_ * dy) * inverse, (a_ * dy - b_ * dx) * inverse};
  switch (layer) {
    case Layer::Head:
      return flat;
    case Layer::Back:
      return solve<Layer::Back>(flat);
    case Layer::Skin:
      return solve<Layer::Skin>(flat);
    case Layer::Nose:
      break;
  }
  return solve<Layer::Nose>(flat);
}

void View::align(const std::vector<Point>& points, const std::vector<Layer>& layers,
                 const std::vector<Point>& targets, float roll, float zoom, Point shift) {
  const float n = static_cast<float>(points.size());
  std::vector<Point> turned(points.size());
  Point from, to;
  for (std::size_t i = 0; i < points.size(); ++i) {
    turned[i] = turn(points[i], layers[i]);
    from = {from.x + turned[i].x / n, from.y + turned[i].y / n};
    to = {to.x + targets[i].x / n, to.y + targets[i].y / n};
  }
  float dot = 0, cross = 0, square = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const float px = turned[i].x - from.x, py = turned[i].y - from.y;
    const float qx = targets[i].x - to.x, qy = targets[i].y - to.y;
    dot += px * qx + py * qy;
    cross += px * qy - py * qx;
    square += px * px + py * py;
  }
  const float a = dot / square, b = cross / square, c = cosine(roll) * zoom, s = sine(roll) * zoom;
  a_ = a * c - b * s;
  b_ = a * s + b * c;
  // The middle of the targets stays where it is, apart from the shift.
  shift_x_ = to.x + shift.x - (a_ * from.x - b_ * from.y);
  shift_y_ = to.y + shift.y - (b_ * from.x + a_ * from.y);
}

Canvas::Canvas(const View& view) : view_(view), pixels_(kSide * kSide) {
  for (int layer = 0; layer < View::kLayers; ++layer) {
    auto& field = fields_[static_cast<std::size_t>(layer)];
    field.resize(kSide * kSide);
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        field[static_cast<std::size_t>(y * kSide + x)] =
            view.unproject({static_cast<float>(x), static_cast<float>(y)}, static_cast<View::Layer>(layer));
      }
    }
  }
}

Box Canvas::around(float left, float top, float right, float bottom, View::Layer layer) const {
  const float cx = 0.5F * (left + right), cy = 0.5F * (top + bottom);
  const Point corners[] = {{left, top}, {right, top}, {left, bottom}, {right, bottom},
                           {cx, top},   {cx, bottom}, {left, cy},     {right, cy}};
  float x0 = kSide, y0 = kSide, x1 = 0, y1 = 0;
  for (const Point& corner : corners) {
    const Point p = view_.project(corner, layer);
    x0 = std::min(x0, p.x);
    x1 = std::max(x1, p.x);
    y0 = std::min(y0, p.y);
    y1 = std::max(y1, p.y);
  }
  constexpr float margin = 4;
  const auto low = [](float v) { return std::clamp(static_cast<int>(v - margin), 0, kSide); };
  const auto high = [](float v) { return std::clamp(static_cast<int>(v + margin) + 1, 0, kSide); };
  return {low(x0), low(y0), high(x1), high(y1)};
}

void Canvas::blur(float k) {
  if (k <= 0) return;
  const float centre = 1 - 2 * k;
  std::vector<Rgb> line(kSide);
  const auto pass = [&](std::size_t start, std::size_t stride) {
    for (std::size_t i = 0; i < kSide; ++i) line[i] = pixels_[start + i * stride];
    for (std::size_t i = 0; i < kSide; ++i) {
      const Rgb& before = line[i == 0 ? 0 : i - 1];
      const Rgb& after = line[i + 1 == kSide ? i : i + 1];
      pixels_[start + i * stride] = line[i] * centre + (before + after) * k;
    }
  };
  for (std::size_t y = 0; y < kSide; ++y) pass(y * kSide, 1);
  for (std::size_t x = 0; x < kSide; ++x) pass(x, kSide);
}

Image Canvas::finish(float noise, std::uint64_t noise_key) const {
  Image image{kSide, kSide, std::vector<std::uint8_t>(kSide * kSide * 3)};
  Draws draws(noise_key);
  // Four bytes summed: mean 510, standard deviation 147.8, close enough to normal for sensor noise.
  const float gain = noise * 255 / 147.8F;
  const auto sample = [&](std::uint64_t bits) {
    const std::uint64_t sum = (bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24 & 255);
    return (static_cast<float>(sum) - 510) * gain;
  };
  const auto level = [](float v) { return static_cast<std::uint8_t>(std::clamp(v + 0.5F, 0.0F, 255.0F)); };
  std::uint8_t* out = image.pixels.data();
  for (const Rgb& c : pixels_) {
    const std::uint64_t one = draws.next(), two = draws.next();
    // Luminance noise is stronger than colour noise, as cameras' processing leaves it.
    const float grey = sample(one);
    *out++ = level(c.r * 255 + grey + 0.5F * sample(one >> 32));
    *out++ = level(c.g * 255 + grey + 0.5F * sample(two));
    *out++ = level(c.b * 255 + grey + 0.5F * sample(two >> 32));
  }
  return image;
}

}  // namespace facemae
