#include "data/synth/face_parts.h"

namespace facemae {
namespace {

using Layer = View::Layer;

}  // namespace

void paint_nose(const Face& face) {
  Canvas& canvas = face.canvas;
  const FaceIdentity& who = face.who;
  const float top = who.eye_y + 1, y = who.nose_y, w = who.nose_width;
  const Box box = canvas.around(-w - 7, top - 6, w + 7, y + 9, Layer::Nose);
  for (const float side : {-1.0F, 1.0F}) {
    // The flank turned away from the light is darker.
    const float dark = clamp01(0.26F - 0.28F * side * face.how.light_x);
    canvas.paint(
        box, Layer::Nose, 3.2F, dark,
        [=](Point p) {
          const float t = clamp01((p.y - top) / (y - top));
          const float x = side * (who.bridge_width + (w - who.bridge_width) * t * t);
          return std::max(std::abs(p.x - x) - 1.0F, std::max(top - p.y, p.y - y));
        },
        solid(face.shadow(0.5F)));
  }
  canvas.paint(
      box, Layer::Nose, 3, 0.5F,
      [=](Point p) {
        return ellipse(p, {0, y + 4.4F}, 0.8F * w, 1.2F);
      },
      solid(face.shadow(0.45F)));
  for (const float side : {-1.0F, 1.0F}) {
    canvas.paint(
        box, Layer::Nose, 1.6F, 0.6F,
        [=](Point p) {
          const float ring = ellipse(p, {side * (w - 1.4F), y + 0.4F}, 2.9F, 3.4F);
          return std::max(std::abs(ring) - 0.45F, (w - 1.8F) - side * p.x);
        },
        solid(face.shadow(0.55F)));
    canvas.paint(
        box, Layer::Nose, 1.3F, 0.9F,
        [=](Point p) {
          return ellipse(p, {side * 0.52F * w, y + 2.6F}, 1.1F + 0.6F * who.nostril, 0.75F * who.nostril,
                         0.97F, side * 0.24F);
        },
        solid(face.skin * 0.22F));
  }
  canvas.paint(
      box, Layer::Nose, 4, 0.35F,
      [=](Point p) {
        return ellipse(p, {1.6F * face.how.light_x, y - 2}, 0.7F * who.tip, 0.7F * who.tip);
      },
      solid(face.skin * 1.22F));
}

void paint_eye(const Face& face, float side) {
  Canvas& canvas = face.canvas;
  const FaceIdentity& who = face.who;
  const FaceNuisance& how = face.how;
  const float w = who.eye_width, up = who.eye_open * how.blink,
              low = 0.62F * who.eye_open * (0.4F + 0.6F * how.blink);
  const float c = 1 - 0.5F * who.eye_tilt * who.eye_tilt, s = who.eye_tilt * side;
  const Point centre{side * who.eye_distance, who.eye_y};
  // Into the eye's own frame: x outwards, tilted.
  const auto local = [=](Point p) {
    const float dx = p.x - centre.x, dy = p.y - centre.y;
    return Point{side * (c * dx - s * dy), c * dy + s * dx};
  };
  const auto arch = [=](float x) { return 1 - (x / w) * (x / w); };
  const auto opening = [=](Point q) {
    const float a = arch(q.x);
    return std::max(-q.y - up * a, q.y - low * a);
  };
  const Box box = canvas.around(centre.x - w - 5, centre.y - 12, centre.x + w + 5, centre.y + 9, Layer::Skin);
  canvas.paint(
      box, Layer::Skin, 6, 0.5F,
      [=](Point p) {
        return ellipse(p, {centre.x, centre.y - 1}, w + 1, up + 2.5F);
      },
      solid(face.shadow(0.25F)));
  canvas.paint(
      box, Layer::Skin, 1.2F, 1, [=](Point p) { return opening(local(p)); },
      solid(blend(Rgb{0.93F, 0.92F, 0.91F}, face.skin, 0.12F)));
  const Point iris{side * how.gaze_x * 0.7F, how.gaze_y - 0.25F};
  const auto disc = [=](Point p, float radius) {
    const Point q = local(p);
    return std::max(opening(q), ellipse(q, iris, radius, radius));
  };
  const float r = who.iris_radius;
  canvas.paint(
      box, Layer::Skin, 1.2F, 1, [=](Point p) { return disc(p, r); }, solid(who.iris));
  canvas.paint(
      box, Layer::Skin, 1.2F, 1, [=](Point p) { return disc(p, 0.45F * r); },
      solid(Rgb{0.04F, 0.04F, 0.05F}));
  canvas.paint(
      box, Layer::Skin, 1.0F, 0.9F,
      [=](Point p) {
        const Point q = local(p);
        const Point spark{iris.x + side * 0.9F * how.light_x, iris.y - 1.0F};
        return std::max(opening(q), ellipse(q, spark, 0.7F, 0.7F));
      },
      solid(Rgb{1, 1, 1}));
  const auto lid_line = [=](Point p, float lift, float thick) {
    const Point q = local(p);
    return std::max(std::abs(q.y + up * arch(q.x) + lift) - thick, std::abs(q.x) - w);
  };
  canvas.paint(
      box, Layer::Skin, 1.2F, 0.85F, [=](Point p) { return lid_line(p, 0, 0.3F + 0.45F * who.lid); },
      solid(face.skin * 0.18F));
  canvas.paint(
      box, Layer::Skin, 1.4F, 0.55F, [=](Point p) { return lid_line(p, 1.6F + who.lid, 0.25F); },
      solid(face.shadow(0.5F)));
}

void paint_brow(const Face& face, float side) {
  const FaceIdentity& who = face.who;
  const Point centre{side * (who.eye_distance + 0.6F), who.eye_y - who.brow_gap - face.how.brow_raise};
  const float l = who.brow_length;
  face.canvas.paint(
      face.canvas.around(centre.x - l - 2, centre.y - 8, centre.x + l + 2, centre.y + 8, Layer::Skin),
      Layer::Skin, 1.6F, who.brow_dark,
      [=](Point p) {
        const float x = side * (p.x - centre.x) / l;
        const float y = -who.brow_tilt * 5 * x - who.brow_arch * (1 - x * x) + 0.5F * who.brow_arch;
        const float thick = who.brow_thick * (1 - 0.45F * clamp01(x));
        return std::max(std::abs(p.y - centre.y - y) - thick, (std::abs(x) - 1) * l);
      },
      solid(blend(who.hair * 0.75F, face.shadow(0.5F), 0.15F)));
}

void paint_mouth(const Face& face) {
  Canvas& canvas = face.canvas;
  const FaceIdentity& who = face.who;
  const float w = who.mouth_width * (1 + 0.035F * face.how.smile), open = face.how.mouth_open;
  const float curve = -who.mouth_curve - face.how.smile;  // corners up for a smile
  const float up = who.upper_lip, low = who.lower_lip, y0 = who.mouth_y;
  const auto line = [=](float u) { return y0 + curve * (u * u - 0.4F); };
  const Box box = canvas.around(-w - 4, y0 - 14, w + 4, y0 + 18, Layer::Skin);
  const Rgb lip = blend(face.shadow(0.16F), face.skin * Rgb{0.92F, 0.45F, 0.46F}, who.lip_red);
  canvas.paint(
      box, Layer::Skin, 1.4F, 1,
      [=](Point p) {
        const float u = p.x / w, full = 1 - u * u;
        const float dip = who.bow * 1.3F * smooth(1 - std::abs(p.x) / 4);
        return std::max(line(u) - up * full + dip - p.y, p.y - line(u) - (low + open) * full);
      },
      [=](Point p) { return p.y < line(p.x / w) ? lip * 0.88F : lip; });
  if (open > 0) {
    const auto gap = [=](Point p) {
      const float u = p.x / (0.86F * w), full = 1 - u * u;
      return std::max(line(p.x / w) - p.y, p.y - line(p.x / w) - open * full);
    };
    canvas.paint(box, Layer::Skin, 1.2F, 1, gap, solid(Rgb{0.17F, 0.05F, 0.06F}));
    canvas.paint(
        box, Layer::Skin, 1.2F, 1, [=](Point p) { return std::max(gap(p), p.y - line(p.x / w) - 1.9F); },
        solid(Rgb{0.90F, 0.88F, 0.84F}));
  }
  canvas.paint(
      box, Layer::Skin, 1.3F, 0.75F,
      [=](Point p) { return std::max(std::abs(p.y - line(p.x / w)) - 0.35F, std::abs(p.x) - w); },
      solid(face.skin * Rgb{0.38F, 0.20F, 0.20F}));
  canvas.paint(
      box, Layer::Skin, 4, 0.45F,
      [=](Point p) {
        return ellipse(p, {0, y0 + low + open + 4}, 0.5F * w, 1.4F);
      },
      solid(face.shadow(0.4F)));
}

void paint_glasses(const Face& face) {
  Canvas& canvas = face.canvas;
  const FaceIdentity& who = face.who;
  const float r = std::min(face.how.frame_size, who.eye_distance - 2.5F), y = who.eye_y + 0.5F;
  const Box box = canvas.around(-who.half_width - 4, y - r - 3, who.half_width + 4, y + r + 3, Layer::Skin);
  const auto lens = [=](Point p) {
    const float x = std::abs(p.x) - who.eye_distance;
    return ellipse({x, p.y}, {0, y}, r, 0.82F * r);
  };
  canvas.paint(box, Layer::Skin, 1.2F, 0.12F, lens, solid(Rgb{0.75F, 0.8F, 0.85F}));
  canvas.paint(
      box, Layer::Skin, 1.2F, 0.95F, [=](Point p) { return std::abs(lens(p)) - 0.65F; },
      solid(face.how.frame));
  canvas.paint(
      box, Layer::Skin, 1.2F, 0.95F,
      [=](Point p) {
        const float x = std::abs(p.x), inner = who.eye_distance - r, outer = who.eye_distance + r;
        const float bar = std::abs(p.y - y + 1.5F) - 0.6F;
        return std::max(bar, std::max(std::min(x - inner, outer - x), x - who.half_width));
      },
      solid(face.how.frame));
}

}  // namespace facemae
