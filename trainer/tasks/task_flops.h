#pragma once
// How much a training step computes for each of its images, as its configuration says (model/common/flops.h).
#include <cstdint>

#include "model/common/flops.h"
#include "model/facemae/face_mae.h"
#include "trainer/config/run_config.h"

namespace facemae {

/// Forward and backward of FaceMAE; of the embedder forward for what a picture is to resemble, and through it for the
/// picture. `embedder`: of one image, nothing without a relation. With --code the mean over steps, without its nuisance.
/// The relation itself, linkage and what is repeated (--relation-batch global, recomputed blocks) are not counted.
double pretraining_flops(const PretrainConfig& config, const FaceMaeConfig& model, const Flops& embedder);

/// Forward and backward of the network, and the softmax over all classes.
double recognition_flops(const RecognizeConfig& config, std::int64_t classes);

}  // namespace facemae
