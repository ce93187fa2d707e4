#include "trainer/tasks/recognize.h"

#include <torch/torch.h>

#include <array>

#include "cluster/tensors/collectives.h"
#include "core/log.h"
#include "model/common/state.h"
#include "model/recognition/batch_norm.h"
#include "model/softmax/margin_softmax.h"

namespace facemae {

namespace {

/// Rows of an --exact slot come together; `ranks` outlives what is made here.
NormRows norm_rows_of(const RecognizeConfig& config, Communicator& ranks) {
  if (config.batch_norm == "sync")
    return {.over_ranks = [&ranks](const torch::Tensor& own) { return all_sum(own, ranks); }};
  return {.group = config.ghost_group(), .over_ranks = {}};
}

}  // namespace

Margin margin_of(const RecognizeConfig& config) {
  const Margin unless_given;
  return {.kind = config.margin,
          .m = config.margin_m.value_or(margin_kind(config.margin).m),
          .scale = config.scale,
          .straight_through = config.margin_gradient == "straight-through",
          .m1 = config.margin_m1.value_or(unless_given.m1),
          .m3 = config.margin_m3.value_or(unless_given.m3),
          .h = config.margin_h.value_or(unless_given.h)};
}

SoftmaxConfig softmax_of(const RecognizeConfig& config, Precision precision, torch::Device device) {
  const auto products = logit_precision_for(config.logit_precision, precision, device);
  return {.margin = margin_of(config),
          .class_filter = config.class_filter,
          .precision = products == Precision::BFloat16 ? LogitPrecision::BFloat16
                       : products == Precision::Tf32   ? LogitPrecision::Tf32
                                                       : LogitPrecision::Float32,
          .logit_bytes = config.logit_mib << 20};
}

std::vector<PairSource> pair_sources(const RecognizeConfig& config) {
  std::vector<PairSource> sources;
  for (const auto& file : config.eval)
    sources.push_back(
        file.ends_with(".bin")
            ? PairSource{.pairs = file}
            : PairSource{.pairs = file, .store = config.eval_store, .images = config.eval_images});
  return sources;
}

RecognitionTraining::RecognitionTraining(std::shared_ptr<RecognitionNetwork> network, ClassCentres centres,
                                         const RecognizeConfig& config, std::string kind, Parts parts,
                                         Precision precision, torch::Device device)
    : network_(std::move(network)),
      centres_(std::move(centres)),
      softmax_(softmax_of(config, precision, device)),
      margin_state_(softmax_.margin, device),
      draws_margins_(margin_kind(softmax_.margin.kind).draws),
      draws_(config.common.seed, draws_margins_, network_->draws()),
      global_batch_(static_cast<double>(config.common.batch)),
      frozen_(config.batch_norm == "frozen"),
      decay_(decay_named(config.common.decay, Decay::All)),
      kind_(std::move(kind)),
      parts_(std::move(parts)),
      precision_(precision),
      device_(device),
      sources_(pair_sources(config)),
      statistics_(*network_, parts_, config.common.batch, frozen_) {
  prepare(precision_);
  normalise_by(*network_, norm_rows_of(config, parts_.ranks()));
  network_->train(!frozen_);
  if (parts_.exact()) by_shards_.emplace(centres_);
}

std::vector<Parameter> RecognitionTraining::parameters() { return trained_parameters(*network_, decay_); }

Classes RecognitionTraining::classes() {
  return {.centres = centres_.weight(),
          .at = {"centres", centres_.weight(), centres_.range().first, centres_.classes()},
          .virtual_shards = centres_.virtual_shards(),
          .logit_bytes = softmax_.logit_bytes};
}

FaceNeeds RecognitionTraining::needs() const {
  return {.labels = true,
          .classes = centres_.classes(),
          .labels_of_step = centres_.samples(),
          .noise = draws_.noise()};
}

void RecognitionTraining::begin(std::uint64_t step) {
  statistics_.begin();
  margin_state_.begin();
  if (!centres_.samples()) centres_.begin(step);
  loss_ = torch::zeros({}, torch::TensorOptions().device(device_));
  correct_ = torch::zeros_like(loss_);
}

void RecognitionTraining::know(std::uint64_t step, std::vector<std::int64_t> labels) {
  if (centres_.samples()) centres_.begin(step, std::move(labels));
}

Pass RecognitionTraining::forward(const Faces& faces) {
  statistics_.before_part();
  torch::Tensor embeddings;
  {
    const Autocast reduced(precision_, device_);
    embeddings = network_->forward_drawn(faces.images, draws_.keys(faces));
  }
  statistics_.after_part(faces.part, faces.images.size(0));
  return {.rows = embeddings.to(torch::kFloat32), .reference = faces.labels, .draws = draws_.margins(faces)};
}

Coupled RecognitionTraining::couple(const Group& group) {
  static constexpr std::array compared = {&Pass::rows, &Pass::reference, &Pass::draws};
  const Coupling faces(parts_, group, std::span(compared).first(draws_margins_ ? 3 : 2));
  const auto embeddings = faces.rows(&Pass::rows), labels = faces.rows(&Pass::reference);
  const auto draws = draws_margins_ ? faces.rows(&Pass::draws) : torch::Tensor();
  const auto softmax =
      by_shards_ ? by_shards_->loss(margin_state_, softmax_, embeddings, labels, draws, global_batch_)
                 : margin_softmax(centres_, margin_state_, softmax_, embeddings, labels, draws,
                                  faces.rows_of_rank(), global_batch_);
  loss_ += softmax.loss;
  correct_ += softmax.correct;
  return {.wanted = faces.spread(softmax.cotangent), .loss = softmax.loss};
}

void RecognitionTraining::end(const torch::Tensor& skipped) {
  statistics_.end(skipped);
  margin_state_.end(skipped);
}

std::vector<Metric> RecognitionTraining::metrics() {
  std::vector<Metric> figures = {
      {"loss", parts_.share_of_coupled(loss_)},
      {"accuracy", parts_.share_of_common(correct_.to(torch::kFloat32), global_batch_)}};
  if (const auto norms = margin_state_.norms(); norms.defined()) {
    figures.push_back({"norm", parts_.share_of_common(norms.mean(), 1)});
    figures.push_back({"norm_deviation", parts_.share_of_common(norms.std(/*unbiased=*/false), 1)});
    if (const auto clips = margin_kind(softmax_.margin.kind).clips)
      figures.push_back(
          {"norms_clipped",
           parts_.share_of_common(clips({.norms = norms, .state = margin_state_.value()}, softmax_.margin)
                                      .to(torch::kFloat32)
                                      .mean(),
                                  1)});
  }
  return figures;
}

void RecognitionTraining::state(Snapshot& snapshot) {
  for (const auto& [name, tensor] : state_of(*network_))
    snapshot.replicated.push_back({"model." + name, tensor});
  if (margin_state_.any()) snapshot.replicated.push_back({"margin.state", margin_state_.value()});
  snapshot.by_class.push_back(classes().at);
}

void RecognitionTraining::open_sets(World& world, const torch::Tensor& trained_on, bool begun) {
  sets_ = open_pair_sets(world, sources_, /*folds=*/0, /*with_images=*/true);
  if (!begun) refuse_faults(sets_);
  if (!world.control().is_root()) return;
  for (const auto& set : sets_) {
    if (set.fault) {
      spdlog::error("{}: training goes on without it until a start finds it mended", set.fault->what());
    } else {
      warn_of_seen_people(set, trained_on);
    }
  }
}

std::vector<Evaluated> RecognitionTraining::evaluate(World& world) {
  network_->eval();
  std::vector<Evaluated> results;
  for (const auto& set : sets_)
    results.push_back(
        verify_or_say_why(set, *network_, world, {.show_progress = false, .refuse_not_finite = false}));
  network_->train(!frozen_);
  return results;
}

}  // namespace facemae
