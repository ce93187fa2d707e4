#pragma once
// Draws what makes a synthetic face from keys: who it is (identity) and how it was taken (nuisance).
#include <array>
#include <cstdint>

#include "data/synth/canvas.h"

namespace facemae {

/// Head coordinates are pixels at the scale of the ArcFace template, with the origin between eyes and mouth,
/// y downwards. 49 numbers per identity, with triangular distributions, so that average faces are common.
struct FaceIdentity {
  float half_width, crown, chin, jaw_square, taper;                            ///< outline
  float skin_light, skin_red, skin_warm;                                       ///< skin tone
  float eye_distance, eye_y, eye_width, eye_open, eye_tilt, iris_radius, lid;  ///< eyes
  Rgb iris;
  float brow_gap, brow_length, brow_thick, brow_tilt, brow_arch, brow_dark;
  float nose_y, nose_width, bridge_width, nostril, tip;
  float mouth_y, mouth_width, upper_lip, lower_lip, lip_red, mouth_curve, bow;
  float ear_size, ear_y;
  float hairline, hair_volume, hair_length, hair_part, hair_round;
  Rgb hair;
  float beard, blush, folds;
  struct Mark {
    float x, y, radius, dark;
  };
  std::array<Mark, 3> marks;  ///< radius 0: none
};

/// Everything that changes between pictures of one identity. Angles are in radians.
struct FaceNuisance {
  float yaw, pitch, roll, zoom, shift_x, shift_y;
  float blink, gaze_x, gaze_y, smile, mouth_open, brow_raise;
  float light_x, light_y, light_z, ambient;
  Rgb light;
  float exposure, contrast;
  int background;  ///< 0 gradient, 1 spots, 2 stripes
  Rgb back_a, back_b, clothes;
  std::uint64_t back_key, noise_key;
  float blur, noise;
  bool glasses, fringe;
  Rgb frame;
  float frame_size, fringe_depth, fringe_slant;
};

FaceIdentity draw_identity(std::uint64_t seed, std::uint64_t identity);
FaceNuisance draw_nuisance(std::uint64_t seed, std::uint64_t identity, std::uint64_t image);

}  // namespace facemae
