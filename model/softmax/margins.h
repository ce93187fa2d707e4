#pragma once
// Margins of the softmax: what becomes of the logit of a face's own class, and with some of the other classes. Each is
// a row of a table; sources are in docs/METHOD.md ("Margins"), formulas in margins.cpp.
#include <torch/types.h>

#include <span>
#include <string>

namespace facemae {

struct Margin {
  std::string kind = "arcface";  ///< a name of margin_kinds()
  double m = 0.5;                ///< that of the kind, unless another is asked for
  double scale = 64;
  /// The value of the margin with the gradient of the plain cosine: 1 for the cosine, none for the norm, 1 for other
  /// classes. The value is the exact margin's, except that arcface then has no fallback beyond pi - m.
  bool straight_through = false;
  double m1 = 1, m3 = 0;  ///< combined: scale (cos(m1 theta + m) - m3)
  double h = 0.333;       ///< adaface: how much of the margin depends on the norm
};

/// What a margin sees of n faces; all of float32 or float64.
struct MarginFaces {
  torch::Tensor cosines;  ///< [n], to the own classes, as computed (may lie outside of [-1, 1] by rounding)
  torch::Tensor norms;    ///< [n], Euclidean, of the embeddings
  torch::Tensor draws;    ///< [n], standard normal; undefined unless MarginKind::draws
  torch::Tensor state;    ///< [2], the statistics to be used; undefined unless MarginKind::next_state
};

/// A row of the table of margins, which is in margins.cpp. All functions are differentiable where their gradients are
/// wanted, with finite gradients also at cosines of exactly +-1, and read no value from the device.
struct MarginKind {
  const char* name;
  const char* help;
  double m;  ///< size of the margin unless another is given; magface: at the smallest norm; elastic: the mean
  /// [n]: the cosines that the margin has moved, which the scale turns into logits.
  torch::Tensor (*move)(const MarginFaces& faces, const Margin& margin);
  /// [n]: what is added to the losses of the faces; null: nothing.
  torch::Tensor (*penalty)(const MarginFaces& faces, const Margin& margin) = nullptr;
  bool draws = false;  ///< a standard normal number for each face and step
  /// [2]: `state` moved by the statistics of faces of all ranks, of which `cosines` (when `needs_cosines`) and `norms` are
  /// read; no graph. Null: the margin has no state.
  torch::Tensor (*next_state)(const torch::Tensor& state, const MarginFaces& all) = nullptr;
  double first_state[2] = {0, 0};
  /// [n] bool: faces whose norms the margin clips, so that it does not tell them apart; null: it reads no norms.
  torch::Tensor (*clips)(const MarginFaces& faces, const Margin& margin) = nullptr;
  bool needs_cosines = false;  ///< of all ranks' faces to their own classes, before the softmax
  /// Moves the cosines [n, k] to other classes, in place, and multiplies the factors [n, k] of their gradients, which are
  /// all 1 while undefined, before as after. `all` are the n faces, of all ranks. Null: they stay. No graph.
  void (*move_others)(torch::Tensor& others, torch::Tensor& factors, const MarginFaces& all,
                      const Margin& margin) = nullptr;
  /// Cosines to all classes are clamped to +- this. move() does it itself to those that it moves; others keep the
  /// gradient of the cosine where they are clamped.
  double largest_cosine = 1;
};
std::span<const MarginKind> margin_kinds();
const MarginKind& margin_kind(const std::string& name);  ///< throws ConfigError with the nearest name

}  // namespace facemae
