#include "data/synth/synth_parameters.h"

#include "core/random/keys.h"

namespace facemae {
namespace {

// Image i's draws use counter i + 1; counter 0 is the identity's own. The order of the draws is part
// of the format: a struct's members are filled one statement at a time, since argument evaluation
// order is not fixed by C++.
class Maker {
 public:
  explicit Maker(std::uint64_t key) : draws_(key) {}
  float uniform(double low, double high) { return static_cast<float>(draws_.uniform(low, high)); }
  float triangle(double low, double high) {
    const double a = draws_.uniform(), b = draws_.uniform();
    return static_cast<float>(low + (high - low) * 0.5 * (a + b));
  }
  bool chance(double p) { return draws_.uniform() < p; }
  std::uint64_t next() { return draws_.next(); }
  int below(int n) { return static_cast<int>(draws_.below(static_cast<std::uint64_t>(n))); }
  Rgb colour(double low, double high) {
    const float r = uniform(low, high), g = uniform(low, high), b = uniform(low, high);
    return {r, g, b};
  }

 private:
  Draws draws_;
};

Rgb hair_colour(Maker& m) {
  constexpr Rgb kinds[] = {{0.07F, 0.06F, 0.06F}, {0.20F, 0.13F, 0.09F}, {0.36F, 0.23F, 0.14F},
                           {0.62F, 0.47F, 0.26F}, {0.50F, 0.22F, 0.11F}, {0.58F, 0.57F, 0.56F}};
  const Rgb& base = kinds[m.below(6)];
  const float f = m.uniform(0.75, 1.3);
  return base * f;
}

Rgb iris_colour(Maker& m) {
  constexpr Rgb kinds[] = {{0.24F, 0.14F, 0.08F},
                           {0.40F, 0.27F, 0.13F},
                           {0.30F, 0.45F, 0.62F},
                           {0.33F, 0.46F, 0.31F},
                           {0.45F, 0.50F, 0.54F}};
  const Rgb& base = kinds[m.below(5)];
  const float f = m.uniform(0.8, 1.25);
  return base * f;
}

}  // namespace

FaceIdentity draw_identity(std::uint64_t seed, std::uint64_t identity) {
  Maker m(key_of(seed, Purpose::Synth, identity, 0));
  FaceIdentity f{};
  f.half_width = m.triangle(33, 43);
  f.crown = m.triangle(54, 64);
  f.chin = m.triangle(40, 52);
  f.jaw_square = m.uniform(0.0, 0.85);
  f.taper = m.triangle(0.0, 0.34);
  f.skin_light = m.uniform(0.42, 0.93);
  f.skin_red = m.triangle(-0.05, 0.07);
  f.skin_warm = m.triangle(-0.06, 0.06);
  f.eye_distance = m.triangle(15.0, 20.5);
  f.eye_y = m.triangle(-19.5, -13.0);
  f.eye_width = m.triangle(5.4, 9.0);
  f.eye_open = m.triangle(2.2, 4.8);
  f.eye_tilt = m.triangle(-0.26, 0.26);
  f.iris_radius = m.triangle(2.5, 3.8);
  f.lid = m.triangle(0.4, 1.5);
  f.iris = iris_colour(m);
  f.brow_gap = m.triangle(5.5, 12.5);
  f.brow_length = m.triangle(7.5, 12.5);
  f.brow_thick = m.triangle(0.7, 2.9);
  f.brow_tilt = m.triangle(-0.32, 0.28);
  f.brow_arch = m.triangle(0.0, 4.6);
  f.brow_dark = m.triangle(0.35, 1.0);
  f.nose_y = m.triangle(0.5, 9.5);
  f.nose_width = m.triangle(5.0, 11.5);
  f.bridge_width = m.triangle(1.8, 5.0);
  f.nostril = m.triangle(0.9, 2.2);
  f.tip = m.triangle(2.4, 5.6);
  f.mouth_y = m.triangle(19.5, 28.5);
  f.mouth_width = m.triangle(9.5, 19.0);
  f.upper_lip = m.triangle(1.0, 5.0);
  f.lower_lip = m.triangle(1.6, 6.0);
  f.lip_red = m.triangle(0.05, 0.75);
  f.mouth_curve = m.triangle(-2.2, 2.2);
  f.bow = m.triangle(0.0, 1.0);
  f.ear_size = m.triangle(0.6, 1.5);
  f.ear_y = m.triangle(-12, 1);
  f.hairline = m.triangle(-58, -34);
  f.hair_volume = m.uniform(0, 13);
  f.hair_length = m.chance(0.45) ? m.uniform(18, 70) : m.uniform(-30, -8);
  f.hair_part = m.uniform(-0.45, 0.45);
  f.hair_round = m.uniform(0.001, 0.017);
  f.hair = hair_colour(m);
  f.beard = m.chance(0.3) ? m.uniform(0.2, 0.75) : 0.0F;
  f.blush = m.triangle(0.0, 0.35);
  f.folds = m.triangle(0.0, 0.5);
  for (auto& mark : f.marks) {
    mark.radius = m.chance(0.35) ? m.uniform(0.8, 2.0) : 0.0F;
    mark.x = m.uniform(-27, 27);
    mark.y = m.uniform(-8, 34);
    mark.dark = m.uniform(0.4, 0.8);
  }
  return f;
}

FaceNuisance draw_nuisance(std::uint64_t seed, std::uint64_t identity, std::uint64_t image) {
  Maker m(key_of(seed, Purpose::Synth, identity, image + 1));
  FaceNuisance n{};
  n.yaw = m.triangle(-0.62, 0.62);
  n.pitch = m.triangle(-0.36, 0.36);
  n.roll = m.triangle(-0.16, 0.16);
  n.zoom = m.triangle(0.94, 1.07);
  n.shift_x = m.triangle(-2.5, 2.5);
  n.shift_y = m.triangle(-2.5, 2.5);
  n.blink = m.chance(0.06) ? m.uniform(0.05, 0.3) : m.triangle(0.68, 1.2);
  n.gaze_x = m.triangle(-2.2, 2.2);
  n.gaze_y = m.triangle(-0.9, 0.9);
  n.smile = m.triangle(-1.6, 3.6);
  n.mouth_open = m.chance(0.35) ? m.uniform(0.5, 5.0) : 0.0F;
  n.brow_raise = m.triangle(-2.0, 2.2);
  n.light_x = m.uniform(-1.0, 1.0);
  n.light_y = m.uniform(-0.9, 0.35);
  n.light_z = m.uniform(0.35, 1.0);
  n.ambient = m.uniform(0.25, 0.75);
  n.light = m.colour(0.78, 1.2);
  n.exposure = m.uniform(0.55, 1.4);
  n.contrast = m.uniform(0.75, 1.2);
  n.background = m.below(3);
  n.back_a = m.colour(0.03, 0.97);
  n.back_b = m.colour(0.03, 0.97);
  n.clothes = m.colour(0.05, 0.9);
  n.back_key = m.next();
  n.noise_key = m.next();
  n.blur = m.chance(0.6) ? m.uniform(0.0, 0.30) : 0.0F;
  n.noise = m.triangle(0.0, 0.04);
  n.glasses = m.chance(0.12);
  n.fringe = m.chance(0.10);
  n.frame = m.colour(0.02, 0.4);
  n.frame_size = m.triangle(9.0, 13.0);
  n.fringe_depth = m.uniform(5, 17);
  n.fringe_slant = m.uniform(-0.4, 0.4);
  return n;
}

}  // namespace facemae
