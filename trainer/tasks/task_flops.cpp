#include "trainer/tasks/task_flops.h"

#include "model/facemae/flops.h"
#include "model/recognition/flops.h"

namespace facemae {

double pretraining_flops(const PretrainConfig& config, const FaceMaeConfig& model, const Flops& embedder) {
  const auto sets = config.sets();
  const double photos = sets ? static_cast<double>(sets->photos) : 1;  // of a picture
  // The code of a picture is the mean of those of 1, 2, ... or all of its photos.
  const double encoded = config.code ? (photos + 1) / (2 * photos) : 1;
  const double compared = !sets || config.relates_blends() ? 1 : 1 / photos;
  const auto of = flops_of(model, config.mask_ratio);
  return encoded * of.encoder.trained() + 3 * of.decoder / photos + embedder.passed_through() / photos +
         compared * embedder.forward;
}

double recognition_flops(const RecognizeConfig& config, std::int64_t classes) {
  return network_flops(config.network, config.network_options()).trained() +
         softmax_flops(classes, config.embedding);
}

}  // namespace facemae
