#pragma once
// Paints the inner features of a synthetic face, one over another, in head coordinates.
#include "data/synth/canvas.h"
#include "data/synth/synth_parameters.h"

namespace facemae {

/// What the painters have in common.
struct Face {
  const FaceIdentity& who;
  const FaceNuisance& how;
  Canvas& canvas;
  Rgb skin;

  Rgb shadow(float f) const { return skin * Rgb{1 - 0.8F * f, 1 - f, 1 - f}; }
};

/// The same colour everywhere.
inline auto solid(Rgb colour) {
  return [colour](Point) { return colour; };
}

void paint_nose(const Face& face);
void paint_eye(const Face& face, float side);  ///< side: -1 left in the picture, 1 right
void paint_brow(const Face& face, float side);
void paint_mouth(const Face& face);
void paint_glasses(const Face& face);

}  // namespace facemae
