// EmbeddingSource of evaluate.h.
#include "app/use/evaluate.h"
#include "cluster/host/agree.h"
#include "trainer/apply/kept_embeddings.h"
#include "trainer/apply/models.h"
#include "trainer/input/machine.h"

namespace facemae {

EmbeddingSource::EmbeddingSource(World& world, const EvaluateOptions& options)
    : world_(world), options_(options) {
  config_ = {.flip_sum = !options.no_flip,
             .normalise = false,
             .bgr = options.bgr,
             .decoders = settled_workers(options.workers, !world.device().is_cpu(), world.topology().cores)};
  if (options.from.empty()) return;
  std::string hash;
  together(world.control(), [&] {
    config_.precision = applied_precision(options.precision, world.device());
    const Weights weights = read_weights(options.from);
    hash = weights.hash;
    trained_on_ = weights.training_identities;
    config_.bgr &= !takes_bgr(weights);  // else the network takes RGB already
    network_ = network_at_work(weights, world.device(), options.network_name);
  });
  expect_same_weights(world.control(), options.from, hash);
}

Embeddings EmbeddingSource::of(const ImageSet& images) {
  Embeddings embeddings;
  if (network_) embeddings = embed_images(images, *network_, world_, config_);
  together(world_.control(), [&] {
    if (!world_.control().is_root() || options_.embeddings.empty()) return;
    if (network_)
      keep_embeddings(options_.embeddings, images, embeddings.rows, config_.flip_sum);
    else
      embeddings = kept_embeddings(options_.embeddings, images, config_.flip_sum);
  });
  return embeddings;
}

}  // namespace facemae
