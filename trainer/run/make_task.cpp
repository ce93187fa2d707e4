#include "trainer/run/make_task.h"

#include <torch/torch.h>

#include "core/log.h"
#include "model/common/layout.h"
#include "model/common/state.h"
#include "model/facemae/flops.h"
#include "model/recognition/flops.h"
#include "trainer/apply/models.h"
#include "trainer/tasks/pretrain.h"
#include "trainer/tasks/recognize.h"
#include "trainer/tasks/task_flops.h"

namespace facemae {
namespace {

/// The embedder that a pretraining run asks for.
struct ChosenEmbedder {
  std::unique_ptr<Embedder> embedder;
  std::string
      kind;  ///< said of the run; weights are named by hash, so that a resumed run never relates faces by others
  Flops flops;              ///< of an image
  std::int64_t values = 0;  ///< of an embedding
};
ChosenEmbedder make_embedder(const PretrainConfig& config, torch::Device device) {
  if (config.relation == "none") return {};
  if (config.embedder != "random") {
    const Weights weights = read_weights(config.embedder);
    auto network = network_from(weights);
    const bool reduced = config.common.precision != "float32" && config.relation_precision == "same";
    if (!device.is_cpu())  // CPUs keep the bits that runs have begun with
      lay_out(*network, fastest_format(network_name_of(weights), device, reduced));
    const auto values = network->width();
    return {.embedder = network_embedder(std::move(network)),
            .kind = ", embedder " + weights.hash.substr(0, 16),
            .flops = network_flops(network_name_of(weights), NetworkOptions::drawing_nothing(values)),
            .values = values};
  }
  const RandomEmbedderConfig random{.size = config.embedder_size,
                                    .width = config.embedder_width,
                                    .grid = config.embedder_grid,
                                    .redraw = config.embedder_redraw,
                                    .seed = config.common.seed};
  return {
      .embedder = random_embedder(random), .kind = "", .flops = flops_of(random), .values = random.values()};
}

Parts parts_of(const RunConfig& config, World& world) {
  return config.exact ? Parts::of_slots(config.exact_slots, world.batch()) : Parts::of_ranks(world.batch());
}

/// What validate() cannot know without the store. With a code, somebody else's photo is the nuisance.
void refuse_sets(const TrainingSets& sets, bool code, const Store& store) {
  const std::string which = code ? "--code" : fmt::format("--blend people:{}", sets.people);
  const auto people = code ? 2 : static_cast<std::int64_t>(sets.people);
  if (store.identities() < people)
    throw ConfigError(
        fmt::format("{} needs at least {} people, the store has {}", which, people, store.identities()));
  if (store.image_size() % 4 != 0)
    throw ConfigError(fmt::format(
        "{} compares pictures after pooling by 4 x 4, which does not divide the images' side of {} pixels: pack them with --resize",
        which, store.image_size()));
}

/// Every label is a class: looked at here, so that no step has to. Labels beyond the identities are refused by the store.
void refuse_unlabelled(const Store& store) {
  std::uint64_t labelled = 0;
  for (std::int64_t label = 0; label < store.identities(); ++label) labelled += store.rows_of(label).size();
  if (labelled < store.size())
    throw DataError(fmt::format(
        "{} of the {} images of the store have no identity, which a margin softmax cannot learn: leave them out with `facemae store subset --min-images-per-identity 1`",
        store.size() - labelled, store.size()));
}

/// Batch statistics of one image are none. Those of slots with --batch-norm local: see validate().
void refuse_lonely_images(const RecognizeConfig& config, int ranks) {
  const bool local = config.batch_norm == "local", sync = config.batch_norm == "sync";
  if ((!local && !sync) || config.common.exact) return;
  const BatchPlan plan{
      .global_batch = config.common.batch, .micro_batches = config.common.accumulate, .world = ranks};
  for (int micro = 0; micro < plan.micro_batches; ++micro) {
    for (const auto rows : plan.rows_of_rank(micro))
      if (rows < (local ? 2 : 1))
        throw ConfigError(fmt::format(
            "--batch {} in {} micro-batch(es) leaves one of {} ranks with {}: raise --batch, lower --accumulate or use fewer ranks",
            config.common.batch, config.common.accumulate, ranks,
            rows == 0 ? "no image" : "a single image, which has no batch statistics"));
    if (plan.micro_rows(micro) < 2)
      throw ConfigError(
          "--batch-norm sync needs two images in a micro-batch: raise --batch or lower --accumulate");
  }
}

/// Groups of --batch-norm ghost:N are within what is computed together.
void refuse_cut_groups(const RecognizeConfig& config, int ranks) {
  const auto group = config.ghost_group();
  if (group == 0) return;
  const auto& common = config.common;
  const BatchPlan plan{.global_batch = common.batch,
                       .micro_batches = common.accumulate,
                       .world = ranks,
                       .slots = common.exact ? common.exact_slots : 0};
  for (int micro = 0; micro < plan.micro_batches; ++micro)
    for (int rank = 0; rank < ranks; ++rank) {
      const auto of_slots = common.exact
                                ? plan.rows_of_slots(micro, rank)
                                : std::vector{plan.rows_of_rank(micro)[static_cast<std::size_t>(rank)]};
      for (const auto rows : of_slots)
        if (rows == 0 || rows % group != 0)
          throw ConfigError(fmt::format(
              "--batch-norm {} needs a multiple of {} images in each {} of a micro-batch, --batch {} in {} micro-batch(es) gives one {}: make --batch a multiple of {}",
              config.batch_norm, group, common.exact ? "slot" : "rank's part", common.batch,
              common.accumulate, rows,
              group * common.accumulate * (common.exact ? common.exact_slots : ranks)));
    }
}

}  // namespace

TrainingTask make_pretraining(const PretrainConfig& config, int side, Parts parts, torch::Device device,
                              const std::string& init) {
  if (side % config.patch != 0)
    throw ConfigError(fmt::format("--patch {} does not divide the images' side of {} pixels: use {}",
                                  config.patch, side, side == 112 ? "7, 8, 14, 16 or 28" : "a divisor"));
  FaceMaeConfig shape = face_mae_config(config.model, side, config.patch);
  shape.activation_checkpointing = config.activation_checkpointing;
  shape.code = config.code.value_or(0);
  FaceMae model(shape);
  model->initialise(config.common.seed);
  if (!init.empty()) load_state(*model, read_weights(init).tensors);
  model->to(device);
  ChosenEmbedder chosen = make_embedder(config, device);
  if (chosen.embedder) chosen.embedder->to(device);
  std::string kind = fmt::format("FaceMAE {}, {} x {} pixels, patch {}", config.model, shape.image,
                                 shape.image, shape.patch);
  if (config.code) kind += fmt::format(", a code of {} values", *config.code);
  if (!config.blend.empty()) kind += ", blends of " + config.blend;
  auto task =
      std::make_unique<Pretraining>(std::move(model), std::move(chosen.embedder), config, kind + chosen.kind,
                                    std::move(parts), precision_for(config.common.precision, device), device);
  PictureMaker* pictures = task.get();
  return {.task = std::move(task),
          .pictures = pictures,
          .flops_of_image = pretraining_flops(config, shape, chosen.flops),
          .related_values = chosen.values};
}

TrainingTask make_pretraining(const PretrainConfig& config, const Store& store, World& world,
                              const std::string& init) {
  if (const auto sets = config.sets()) refuse_sets(*sets, config.code.has_value(), store);
  if (config.common.accumulate > 1 && config.relation_batch == "micro" && config.relation != "none" &&
      world.control().is_root())
    spdlog::info(
        "faces are related within each of {} micro-batches; --relation-batch global relates the whole batch",
        config.common.accumulate);
  return make_pretraining(config, store.image_size(), parts_of(config.common, world), world.device(), init);
}

TrainingTask make_recognition(const RecognizeConfig& config, const Store& store, World& world,
                              const std::string& init) {
  if (store.image_size() != 112)
    throw ConfigError(
        fmt::format("recognition networks take 112 x 112 pixels, the store has {}: pack it with --resize",
                    store.image_size()));
  if (store.identities() < 2) throw ConfigError("recognition needs a store with at least 2 identities");
  refuse_unlabelled(store);
  refuse_lonely_images(config, world.topology().size);
  refuse_cut_groups(config, world.topology().size);
  auto network = make_network(config.network, config.network_options());
  network->initialise(config.common.seed);
  if (!init.empty()) {
    const Weights weights = read_weights(init);
    load_state(*network, weights.tensors);
    if (takes_bgr(weights)) take_rgb(*network);
  }
  network->to(world.device());
  if (config.memory_format == "channels-last") lay_out(*network, torch::MemoryFormat::ChannelsLast);
  ClassCentres centres(store.identities(), config.class_shards, config.common.seed, world.batch(),
                       world.device(), torch::kFloat32, config.sample_rate, config.embedding);
  auto task = std::make_unique<RecognitionTraining>(
      std::move(network), std::move(centres), config,
      fmt::format("{}, {} classes in {} shards", config.network, store.identities(), config.class_shards),
      parts_of(config.common, world), precision_for(config.common.precision, world.device()), world.device());
  Evaluator* evaluator = task.get();
  return {.task = std::move(task),
          .evaluator = evaluator,
          .flops_of_image = recognition_flops(config, store.identities())};
}

}  // namespace facemae
