#include "data/synth/synth.h"

#include "core/log.h"
#include "core/random/keys.h"
#include "data/synth/face_parts.h"

namespace facemae {
namespace {

using Layer = View::Layer;

View view_of(const FaceIdentity& who, const FaceNuisance& how) {
  View view(how.yaw, how.pitch);
  const std::vector<Point> points{{-who.eye_distance, who.eye_y},
                                  {who.eye_distance, who.eye_y},
                                  {0, who.nose_y},
                                  {-who.mouth_width, who.mouth_y},
                                  {who.mouth_width, who.mouth_y}};
  const std::vector<Layer> layers{Layer::Skin, Layer::Skin, Layer::Nose, Layer::Skin, Layer::Skin};
  // ArcFace's five-point template for 112 x 112.
  const std::vector<Point> targets{{38.2946F, 51.6963F},
                                   {73.5318F, 51.5014F},
                                   {56.0252F, 71.7366F},
                                   {41.5493F, 92.3655F},
                                   {70.7299F, 92.2041F}};
  view.align(points, layers, targets, how.roll, how.zoom, {how.shift_x, how.shift_y});
  return view;
}

Rgb skin_tone(const FaceIdentity& who) {
  const float l = who.skin_light;
  const float red = 1.0F, green = 0.74F + 0.12F * l, blue = 0.56F + 0.24F * l;
  return {l * (red + who.skin_red), l * (green + 0.5F * who.skin_warm), l * (blue - who.skin_warm)};
}

void paint_background(Canvas& canvas, const FaceNuisance& how) {
  Draws draws(how.back_key);
  const float slope_x = static_cast<float>(draws.uniform(-1, 1)),
              slope_y = static_cast<float>(draws.uniform(-1, 1));
  const float period = static_cast<float>(draws.uniform(7, 40));
  canvas.each(Layer::Head, [&](Rgb, Point, int x, int y) {
    const float along = (slope_x * static_cast<float>(x - 56) + slope_y * static_cast<float>(y - 56));
    if (how.background != 2) return blend(how.back_a, how.back_b, clamp01(0.5F + along / 112));
    const float part = fraction(along / period);
    return blend(how.back_a, how.back_b, smooth(part < 0.5F ? 2 * part : 2 - 2 * part));
  });
  if (how.background != 1) return;
  for (int i = 0; i < 6; ++i) {
    const Point centre{static_cast<float>(draws.uniform(-62, 62)),
                       static_cast<float>(draws.uniform(-72, 50))};
    const float a = static_cast<float>(draws.uniform(6, 26)), b = static_cast<float>(draws.uniform(6, 26));
    const float t = static_cast<float>(draws.uniform());
    const Rgb colour = blend(how.back_b, Rgb{1 - how.back_a.r, 1 - how.back_a.g, 1 - how.back_a.b}, t);
    canvas.paint(
        canvas.around(centre.x - a - 6, centre.y - b - 6, centre.x + a + 6, centre.y + b + 6, Layer::Head),
        Layer::Head, 9, 0.8F, [=](Point p) { return ellipse(p, centre, a, b); }, solid(colour));
  }
}

/// The outline of the head: an ellipse above, and below a squared ellipse that narrows towards the chin.
float outline(const FaceIdentity& who, float chin, Point p) {
  constexpr float middle = -4;
  const float y = p.y - middle;
  if (y <= 0) return ellipse(p, {0, middle}, who.half_width, who.crown + middle);
  const float t = y / (chin - middle);
  const float width = who.half_width * (1 - who.taper * std::min(t, 1.2F) * std::min(t, 1.2F));
  const float u = p.x / width, s = who.jaw_square * who.jaw_square;
  const float f = u * u + t * t - s * u * u * t * t - 1;
  const float gu = u * (1 - s * t * t) / width, gt = t * (1 - s * u * u) / (chin - middle);
  return f / (2 * std::sqrt(gu * gu + gt * gt) + 1e-3F);
}

Rgb strands(const Face& face, Point p) {
  // Bands along the fall of the hair, as triangle waves of two periods.
  const auto wave = [](float v) {
    const float part = fraction(v);
    return part < 0.5F ? 4 * part - 1 : 3 - 4 * part;
  };
  const float across = p.x - 0.25F * p.y * face.who.hair_part;
  const float lean = across + 0.9F * wave(p.y * 0.045F);
  const float light = 1 + 0.10F * wave(lean * 0.17F) + 0.07F * wave(lean * 0.47F + 0.3F);
  const float sheen = 0.10F * smooth(1 - std::abs(p.y + 50) / 14);
  return face.who.hair * light + Rgb{sheen, sheen, sheen};
}

void paint_behind(const Face& face) {
  Canvas& canvas = face.canvas;
  const FaceIdentity& who = face.who;
  const float out = who.half_width + 3 + who.hair_volume;
  if (who.hair_length > 0) {
    const float bottom = who.hair_length;
    canvas.paint(
        Canvas::whole(), Layer::Back, 2, 1,
        [&](Point p) {
          if (p.y < -10) return ellipse(p, {0, -10}, out, who.crown - 8 + who.hair_volume);
          return std::max(std::abs(p.x) - out + 0.1F * (p.y + 10) * who.hair_part, p.y - bottom);
        },
        [&](Point p) { return strands(face, p) * 0.8F; });
  }
  const Rgb neck = face.shadow(0.3F);
  canvas.paint(
      canvas.around(-30, 25, 30, 80, Layer::Back), Layer::Back, 2, 1,
      [&](Point p) { return std::max(std::abs(p.x) - 0.55F * who.half_width, 20 - p.y); }, solid(neck));
  canvas.paint(
      canvas.around(-90, who.chin + 6, 90, who.chin + 80, Layer::Back), Layer::Back, 2, 1,
      [&](Point p) {
        return ellipse(p, {0, who.chin + 42}, 72, 34);
      },
      solid(face.how.clothes));
  for (const float side : {-1.0F, 1.0F}) {
    const Point centre{side * (who.half_width + 1.5F), who.ear_y};
    const float a = 4.6F * who.ear_size, b = 9.5F * who.ear_size;
    const Box box =
        canvas.around(centre.x - a - 2, centre.y - b - 2, centre.x + a + 2, centre.y + b + 2, Layer::Back);
    canvas.paint(
        box, Layer::Back, 1.2F, 1, [=](Point p) { return ellipse(p, centre, a, b); },
        solid(face.shadow(0.12F)));
    canvas.paint(
        box, Layer::Back, 2, 0.7F, [=](Point p) { return ellipse(p, centre, 0.5F * a, 0.6F * b); },
        solid(face.shadow(0.38F)));
  }
}

void paint_skin(const Face& face) {
  Canvas& canvas = face.canvas;
  const FaceIdentity& who = face.who;
  const float chin = who.chin + 0.55F * face.how.mouth_open;
  canvas.paint(
      Canvas::whole(), Layer::Head, 1.3F, 1, [&](Point p) { return outline(who, chin, p); },
      solid(face.skin));
  for (const float side : {-1.0F, 1.0F}) {
    const Point cheek{side * 0.55F * who.half_width, 11 - 0.5F * face.how.smile};
    canvas.paint(
        canvas.around(cheek.x - 18, cheek.y - 16, cheek.x + 18, cheek.y + 16, Layer::Skin), Layer::Skin, 10,
        who.blush, [=](Point p) { return ellipse(p, cheek, 8.5F, 6.5F); },
        solid(face.skin * Rgb{1.0F, 0.74F, 0.74F}));
    // The fold from the nose to the mouth's corner deepens with age and with a smile.
    const float depth = clamp01(who.folds + 0.08F * face.how.smile);
    const Point from{side * (who.nose_width + 1.5F), who.nose_y - 1},
        to{side * (who.mouth_width + 3), who.mouth_y - 2};
    canvas.paint(
        canvas.around(std::min(from.x, to.x) - 4, from.y - 3, std::max(from.x, to.x) + 4, to.y + 3,
                      Layer::Skin),
        Layer::Skin, 2.4F, depth,
        [=](Point p) {
          const float t = (p.y - from.y) / (to.y - from.y);
          const float x = from.x + (to.x - from.x) * t * (2 - t);
          return std::max(std::abs(p.x - x) - 0.5F, std::max(-t, t - 1) * 14);
        },
        solid(face.shadow(0.42F)));
  }
  for (const auto& mark : who.marks) {
    if (mark.radius <= 0) continue;
    canvas.paint(
        canvas.around(mark.x - 3, mark.y - 3, mark.x + 3, mark.y + 3, Layer::Skin), Layer::Skin, 1.2F, 1,
        [&](Point p) {
          return ellipse(p, {mark.x, mark.y}, mark.radius, mark.radius);
        },
        solid(face.shadow(mark.dark)));
  }
  if (who.beard > 0) {
    canvas.paint(
        canvas.around(-46, who.mouth_y - 22, 46, who.chin + 10, Layer::Skin), Layer::Skin, 7, who.beard,
        [&](Point p) {
          const float cheek = who.mouth_y - 12 - 0.010F * p.x * p.x + 0.2F * std::abs(p.x);
          const float band = std::max(cheek - p.y, outline(who, chin, p) - 1);
          return std::max(band, -ellipse(p, {0, who.mouth_y + 0.5F}, who.mouth_width, 5));
        },
        solid(who.hair * 0.8F));
  }
}

void paint_hair(const Face& face) {
  Canvas& canvas = face.canvas;
  const FaceIdentity& who = face.who;
  const float out = who.half_width + 1.5F + 0.5F * who.hair_volume,
              crown = who.crown + 0.8F * who.hair_volume;
  const float sides = who.hair_length;
  const auto cap = [&](Point p) { return ellipse(p, {0, -2}, out, crown); };
  canvas.paint(
      Canvas::whole(), Layer::Head, 1.6F, 1,
      [&](Point p) {
        const float x = p.x - who.hair_part * 30;  // the parting
        const float line = who.hairline + who.hair_round * x * x;
        const float shell = std::max(cap(p), p.y - sides);
        // On the forehead above the hairline, or a rim beside the face.
        const float rim = who.half_width - 3.0F - std::abs(p.x);
        return std::max(shell, std::min(p.y - line, std::max(rim, p.y - std::max(sides, -12.0F))));
      },
      [&](Point p) { return strands(face, p); });
  if (!face.how.fringe) return;
  const float slant = face.how.fringe_slant, depth = face.how.fringe_depth;
  canvas.paint(
      Canvas::whole(), Layer::Head, 1.8F, 0.95F,
      [&](Point p) {
        const float part = fraction(p.x * 0.16F);
        const float tips = 3 * (part < 0.5F ? part : 1 - part);
        return std::max(cap(p) + 2, p.y - (who.hairline + depth + slant * p.x + tips + 0.006F * p.x * p.x));
      },
      [&](Point p) { return strands(face, p) * 0.93F; });
}

/// Light falls on the head's paraboloid; then exposure, contrast and a soft shoulder.
void light(const Face& face, const View& view) {
  const FaceNuisance& how = face.how;
  const float norm =
      std::sqrt(how.light_x * how.light_x + how.light_y * how.light_y + how.light_z * how.light_z);
  const float lx = how.light_x / norm, ly = how.light_y / norm, lz = how.light_z / norm;
  face.canvas.each(Layer::Head, [&](Rgb c, Point p, int, int) {
    const float inside = smooth(0.5F - outline(face.who, face.who.chin, p) / 10);
    const float nx = std::clamp(p.x * 0.021F, -0.95F, 0.95F) + 0.4F * view.turn_x();
    const float ny = std::clamp(p.y * 0.010F, -0.8F, 0.8F) - 0.4F * view.turn_y();
    const float nz = 0.75F, length = std::sqrt(nx * nx + ny * ny + nz * nz);
    const float lit = std::max(0.0F, (nx * lx + ny * ly + nz * lz) / length);
    const float shade = how.ambient + (1.35F - how.ambient) * lit;
    const float gain = how.exposure * (1 + (shade - 1) * (0.25F + 0.75F * inside));
    const auto tone = [&](float v) {
      const float t = (v * gain - 0.45F) * how.contrast + 0.45F;
      return t < 0.8F ? std::max(t, 0.0F) : 0.8F + 0.2F * (t - 0.8F) / (0.2F + (t - 0.8F));
    };
    c = c * how.light;
    return Rgb{tone(c.r), tone(c.g), tone(c.b)};
  });
}

}  // namespace

Image render_face(std::uint64_t seed, std::uint64_t identity, std::uint64_t image) {
  const FaceIdentity who = draw_identity(seed, identity);
  const FaceNuisance how = draw_nuisance(seed, identity, image);
  const View view = view_of(who, how);
  Canvas canvas(view);
  const Face face{who, how, canvas, skin_tone(who)};
  paint_background(canvas, how);
  paint_behind(face);
  paint_skin(face);
  for (const float side : {-1.0F, 1.0F}) {
    paint_eye(face, side);
    paint_brow(face, side);
  }
  paint_mouth(face);
  paint_nose(face);
  if (how.glasses) paint_glasses(face);
  paint_hair(face);
  light(face, view);
  canvas.blur(how.blur);
  return canvas.finish(how.noise, how.noise_key);
}

std::string synth_name(std::uint64_t identity) { return fmt::format("syn-{:07}", identity); }

}  // namespace facemae
