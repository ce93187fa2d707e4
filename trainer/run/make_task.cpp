#include "trainer/run/make_task.h"

#include <torch/torch.h>

#include "core/log.h"
#include "model/common/state.h"
#include "trainer/apply/models.h"
#include "trainer/exact/exact_pretrain.h"
#include "trainer/exact/exact_recognize.h"
#include "trainer/tasks/pretrain.h"
#include "trainer/tasks/recognize.h"

namespace facemae {
namespace {

/// The embedder that a pretraining run asks for. Weights are named by hash in `kind`, so that a resumed run
/// never relates faces by another network than it began with.
std::unique_ptr<Embedder> make_embedder(const PretrainConfig& config, std::string& kind) {
  if (config.relation == "none") return nullptr;
  if (config.embedder != "random") {
    const Weights weights = read_weights(config.embedder);
    kind += ", embedder " + weights.hash.substr(0, 16);
    return network_embedder(network_from(weights));
  }
  return random_embedder({.size = config.embedder_size,
                          .width = config.embedder_width,
                          .redraw = config.embedder_redraw,
                          .seed = config.common.seed});
}

}  // namespace

std::unique_ptr<Task> make_pretraining(const PretrainConfig& config, const Store& store, World& world,
                                       const std::string& init) {
  if (store.image_size() % config.patch != 0)
    throw ConfigError(fmt::format("--patch {} does not divide the images' side of {} pixels: use {}",
                                  config.patch, store.image_size(),
                                  store.image_size() == 112 ? "7, 8, 14, 16 or 28" : "a divisor"));
  const FaceMaeConfig shape = [&] {
    FaceMaeConfig chosen = face_mae_config(config.model, store.image_size(), config.patch);
    chosen.activation_checkpointing = config.activation_checkpointing;
    return chosen;
  }();
  FaceMae model(shape);
  model->initialise(config.common.seed);
  if (!init.empty()) load_state(*model, read_weights(init).tensors);
  model->to(world.device());
  std::string kind = fmt::format("FaceMAE {}, {} x {} pixels, patch {}", config.model, shape.image,
                                 shape.image, shape.patch);
  auto embedder = make_embedder(config, kind);
  if (embedder) embedder->to(world.device());

  const bool automatic = config.relation_weight.starts_with("auto:");
  const double weight = std::stod(automatic ? config.relation_weight.substr(5) : config.relation_weight);
  const PretrainSettings settings{
      .mask_ratio = config.mask_ratio,
      .reconstruction = reconstruction_from(config.reconstruction),
      .normalise_patches = config.normalise_patches,
      .reconstruction_weight = config.reconstruction_weight,
      .relation = relation_from(config.relation),
      .relation_weight = automatic ? 0 : weight,
      .automatic_ratio = automatic ? std::optional(weight) : std::nullopt,
      .relation_center = config.relation_center,
      .relation_over_global_batch = config.relation_batch == "global" && config.common.accumulate > 1,
      .seed = config.common.seed,
      .global_batch = config.common.batch,
      .model_kind = kind};
  if (config.common.accumulate > 1 && config.relation_batch == "micro" && config.relation != "none" &&
      world.control().is_root())
    spdlog::info(
        "the relation is within each of {} micro-batches; --relation-batch global relates the whole batch",
        config.common.accumulate);
  if (config.common.exact)
    return std::make_unique<ExactPretraining>(std::move(model), std::move(embedder), settings, world.batch(),
                                              config.common.exact_slots);
  return std::make_unique<Pretraining>(std::move(model), std::move(embedder), settings, world.batch(),
                                       precision_for(config.common.precision, world.device()),
                                       world.device());
}

std::unique_ptr<Task> make_recognition(const RecognizeConfig& config, const Store& store, World& world,
                                       const std::string& init) {
  if (store.image_size() != 112)
    throw ConfigError(
        fmt::format("recognition networks take 112 x 112 pixels, the store has {}: pack it with --resize",
                    store.image_size()));
  if (store.identities() < 2) throw ConfigError("recognition needs a store with at least 2 identities");
  const int ranks = world.topology().size;
  const BatchPlan plan{
      .global_batch = config.common.batch, .micro_batches = config.common.accumulate, .world = ranks};
  const bool of_ranks = config.batch_norm == "local" && !config.common.exact;  // of slots: see validate()
  for (int micro = 0; micro < plan.micro_batches && of_ranks; ++micro)
    for (const auto rows : plan.rows_of_rank(micro))
      if (rows < 2)
        throw ConfigError(fmt::format(
            "--batch {} in {} micro-batch(es) leaves a rank of {} with one image, which has no batch statistics: raise --batch, lower --accumulate or use fewer ranks",
            config.common.batch, config.common.accumulate, ranks));
  auto network = make_network(config.network);
  network->initialise(config.common.seed);
  if (!init.empty()) load_state(*network, read_weights(init).tensors);
  network->to(world.device());
  std::vector<PairSet> evaluation;
  for (const auto& file : config.eval)
    evaluation.push_back(file.ends_with(".bin")       ? pairs_of_pack(file)
                         : !config.eval_store.empty() ? pairs_of_store(file, config.eval_store)
                                                      : pairs_of_folder(file, config.eval_images));
  for (const auto& set : evaluation) check_pairs(set, world.topology().rank, ranks);
  ClassCentres centres(store.identities(), config.class_shards, config.common.seed, world.batch(),
                       world.device());
  const RecognitionSettings settings{
      .margin = {.kind = config.margin,
                 .m = config.margin_m.value_or(config.margin == "arcface" ? 0.5 : 0.4),
                 .scale = config.scale,
                 .straight_through = config.margin_gradient == "straight-through"},
      .global_batch = config.common.batch,
      .frozen_batch_norm = config.batch_norm == "frozen",
      .decay_all = true,
      .model_kind =
          fmt::format("{}, {} classes in {} shards", config.network, store.identities(), config.class_shards),
      .evaluation = std::move(evaluation)};
  if (config.common.exact)
    return std::make_unique<ExactRecognition>(std::move(network), std::move(centres), settings, world.batch(),
                                              config.common.exact_slots);
  return std::make_unique<RecognitionTraining>(
      std::move(network), std::move(centres), settings, world.batch(),
      precision_for(config.common.precision, world.device()), world.device());
}

}  // namespace facemae
