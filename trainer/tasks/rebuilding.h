#pragma once
// What a pretraining step makes of faces before losses are taken: the pictures that it rebuilds, one for each face or
// one for several.
#include <torch/types.h>

#include <cstdint>
#include <memory>

#include "model/facemae/embedder.h"
#include "model/facemae/face_mae.h"
#include "trainer/apply/triptych.h"
#include "trainer/config/run_config.h"
#include "trainer/step/faces.h"
#include "trainer/step/precision.h"

namespace facemae {

/// r pictures of a part of a micro-batch.
struct Rebuilt {
  torch::Tensor patches;  ///< [r, N, P] float32: every patch as pixels
  torch::Tensor pixel;    ///< this part's share of the step's pixel loss
};

class Rebuilding {
 public:
  virtual ~Rebuilding() = default;
  virtual std::int64_t faces_per_row() const { return 1; }
  virtual Rebuilt rebuild(const Faces& faces) = 0;
  /// [r, D]: whose relations the pictures are to have.
  virtual torch::Tensor reference(const Faces& faces, Embedder& embedder) = 0;
  /// [r, 3, H, W]: the photo that linking a picture to would be found out, of several the first.
  virtual torch::Tensor originals(const Faces& faces) { return faces.images; }
  /// Of the sample pictures: original, masked and rebuilt faces.
  virtual Image picture(const Faces& faces) = 0;
};

/// Every face by itself, as MAE does.
std::unique_ptr<Rebuilding> rebuild_faces(FaceMae model, const PretrainConfig& config, Precision precision);
/// A picture of each set of faces (--blend). Faces come in whole sets.
std::unique_ptr<Rebuilding> rebuild_sets(FaceMae model, const PretrainConfig& config, Precision precision);

/// A picture of each set of faces of one person, through a code (--code). Faces come in whole pairs of sets.
std::unique_ptr<Rebuilding> rebuild_codes(FaceMae model, const PretrainConfig& config, Precision precision);
/// The one that the configuration asks for.
std::unique_ptr<Rebuilding> make_rebuilding(FaceMae model, const PretrainConfig& config, Precision precision);

/// The mask key of a training sample.
std::uint64_t mask_key(std::uint64_t seed, std::uint64_t ordinal);
/// The masks of faces in training, which follow from their ordinals.
Masked masks_of(const Faces& faces, const FaceMae& model, std::uint64_t seed, double ratio);

}  // namespace facemae
