#include "trainer/models.h"

#include <torch/torch.h>

#include <charconv>

#include "cluster/agree.h"
#include "core/log.h"
#include "core/text.h"
#include "model/state.h"
#include "trainer/exact_pretrain.h"
#include "trainer/exact_recognize.h"
#include "trainer/pretrain.h"
#include "trainer/recognize.h"

namespace facemae {
namespace {

std::string described(const Weights& weights, const std::string& key) {
  if (const auto found = weights.metadata.find(key); found != weights.metadata.end()) return found->second;
  return config_value(weights.config, key);
}

bool has_tensor(const Weights& weights, const std::string& name) {
  for (const auto& [key, tensor] : weights.tensors)
    if (key == name) return true;
  return false;
}

/// Heads by MAE's habit of 64 values each, where nothing else is known.
int heads_or(const std::string& known, std::int64_t width) {
  return known.empty() ? static_cast<int>(std::max<std::int64_t>(1, width / 64)) : std::stoi(known);
}

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

FaceMae face_mae_from(const Weights& weights) {
  if (!has_tensor(weights, "mask_token") || !has_tensor(weights, "patch_embed.proj.weight"))
    throw ConfigError(weights.origin +
                      " is not a FaceMAE: it has no mask_token. Was it made by `facemae pretrain`?");
  int heads = 0, decoder_heads = 0;
  if (const std::string size = config_value(weights.config, "model"); !size.empty()) {
    const FaceMaeConfig known = face_mae_config(size, 112, 8);
    heads = known.heads;
    decoder_heads = known.decoder_heads;
  } else {
    for (const auto& [key, tensor] : weights.tensors) {
      if (key == "cls_token") heads = heads_or(described(weights, "heads"), tensor.size(-1));
      if (key == "mask_token") decoder_heads = heads_or(described(weights, "decoder_heads"), tensor.size(-1));
    }
  }
  FaceMae model(config_from_weights(weights.tensors, heads, decoder_heads));
  load_state(*model, weights.tensors);
  model->eval();
  return model;
}

bool normalises_patches(const Weights& weights) { return described(weights, "normalise-patches") == "yes"; }

std::string reconstruction_of(const Weights& weights) { return described(weights, "reconstruction"); }

std::optional<double> mask_ratio_of(const Weights& weights) {
  const std::string known = described(weights, "mask-ratio");
  if (known.empty()) return {};
  double ratio = 0;
  const auto [end, error] = std::from_chars(known.data(), known.data() + known.size(), ratio);
  if (error != std::errc() || end != known.data() + known.size() || !(ratio > 0 && ratio < 1))
    throw ConfigError(weights.origin + " says that its mask ratio is \"" + known + "\", which is none");
  return ratio;
}

double mask_ratio_for(const Weights& weights, const std::optional<double>& asked) {
  const auto trained = mask_ratio_of(weights);
  if (!asked && !trained)
    throw ConfigError(
        weights.origin +
        " does not say with which mask ratio it was trained: give --mask-ratio, that of its training (0.75 for the official MAE)");
  if (asked && trained && *asked != *trained)
    spdlog::warn(
        "the model was trained with --mask-ratio {}, {} is asked for: it sees {:.2g} times as much of each face as it learned from, {}",
        *trained, *asked, (1 - *asked) / (1 - *trained),
        *asked < *trained ? "so more of the face is shown" : "so its pictures may be poor");
  return asked ? *asked : *trained;
}

std::string unfit_for_release(const Weights& weights) {
  if (normalises_patches(weights))
    return weights.origin +
           " was trained on normalised patches: rebuilding would need the hidden patches' own statistics. "
           "Train without --normalise-patches";
  const std::string learned = reconstruction_of(weights);
  if (!learned.empty() && learned != "all")
    return fmt::format(
        "{} was trained with --reconstruction {}: its output is no picture where the faces are {}, and real pixels must not be put there. "
        "Train with --reconstruction all",
        weights.origin, learned, learned == "hidden" ? "visible" : "visible or hidden");
  return "";
}

std::string network_name_of(const Weights& weights) { return described(weights, "network"); }

std::shared_ptr<RecognitionNetwork> network_from(const Weights& weights, const std::string& name) {
  const std::string known = name.empty() ? network_name_of(weights) : name;
  if (known.empty())
    throw ConfigError(weights.origin + " does not say which network it is: pass --network " +
                      join(network_names(), "|"));
  auto network = make_network(known);
  load_state(*network, weights.tensors);
  network->eval();
  return network;
}

void expect_same_weights(Control& control, const std::string& from, const std::string& hash) {
  if (!control.same_everywhere(hash))
    throw AgreedError("the ranks read different weights from " + from + ": export them to a file first",
                      ExitCode::BadConfiguration, "ConfigError");
}

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
