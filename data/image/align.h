#pragma once
// Brings faces into the ArcFace position: fits a similarity to five points and warps the picture by it. Pure.
#include <array>

#include "data/image/image.h"

namespace facemae {

struct PicturePoint {
  double x = 0, y = 0;  ///< pixels; whole numbers are pixel centres, as in OpenCV
};
/// Left eye, right eye, nose, left and right corner of the mouth, as seen in the picture.
using FacePoints = std::array<PicturePoint, 5>;

inline constexpr int kAlignedSize = 112;
/// Where the points lie in a 112 x 112 face (InsightFace's arcface template).
inline constexpr FacePoints kArcFaceTemplate = {
    {{38.2946, 51.6963}, {73.5318, 51.5014}, {56.0252, 71.7366}, {41.5493, 92.3655}, {70.7299, 92.2041}}};

/// x' = a x - b y + dx, y' = b x + a y + dy: rotation, one scale, shift.
struct Similarity {
  double a = 1, b = 0, dx = 0, dy = 0;
  PicturePoint operator()(PicturePoint p) const { return {a * p.x - b * p.y + dx, b * p.x + a * p.y + dy}; }
  Similarity inverse() const;
};
/// Least squares over the five points, never mirrored (Umeyama 1991, in two dimensions). Throws
/// DataError when the points of `from` coincide or are not finite, or when the result would shrink
/// everything to a point.
Similarity fit_similarity(const FacePoints& from, const FacePoints& to);

/// Moves the picture by `to_output`: side x side pixels, black beyond its edges. Bilinear; where it
/// shrinks, each output pixel is the mean of several samples, at least one for each source pixel along a
/// side (up to 32).
Image warp(const Image& image, const Similarity& to_output, int side);

/// fit_similarity() to the template and warp() to 112 x 112.
Image align_face(const Image& image, const FacePoints& points);

}  // namespace facemae
