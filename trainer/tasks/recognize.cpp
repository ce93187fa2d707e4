#include "trainer/tasks/recognize.h"

#include <torch/torch.h>

#include <array>

#include "core/log.h"
#include "model/common/state.h"

namespace facemae {

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
      margin_(margin_of(config)),
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
  network_->train(!frozen_);
  if (parts_.exact()) by_shards_.emplace(centres_, parts_.ranks());
}

std::vector<Parameter> RecognitionTraining::parameters() { return trained_parameters(*network_, decay_); }

Classes RecognitionTraining::classes() {
  return {.centres = centres_.weight(),
          .at = {"centres", centres_.weight().detach(), centres_.range().first, centres_.classes()},
          .virtual_shards = centres_.virtual_shards()};
}

void RecognitionTraining::begin(std::uint64_t) {
  statistics_.begin();
  loss_ = torch::zeros({}, torch::TensorOptions().device(device_));
  correct_ = torch::zeros_like(loss_);
}

Pass RecognitionTraining::forward(const Faces& faces) {
  statistics_.before_part();
  torch::Tensor embeddings;
  {
    const Autocast reduced(precision_, device_);
    embeddings = network_->forward(faces.images);
  }
  statistics_.after_part(faces.part, faces.images.size(0));
  return {.rows = embeddings.to(torch::kFloat32), .reference = faces.labels};
}

Coupled RecognitionTraining::couple(const Group& group) {
  static constexpr std::array compared = {&Pass::rows, &Pass::reference};
  const Coupling faces(parts_, group, compared);
  const auto embeddings = faces.rows(&Pass::rows), labels = faces.rows(&Pass::reference);
  const auto softmax =
      by_shards_ ? by_shards_->loss(embeddings, labels, margin_, global_batch_)
                 : centres_.coupled(embeddings, labels, faces.rows_of_rank(), margin_, global_batch_);
  loss_ += softmax.loss;
  correct_ += softmax.correct;
  return {.wanted = faces.spread(softmax.cotangent), .loss = softmax.loss};
}

std::vector<Metric> RecognitionTraining::metrics() {
  return {{"loss", parts_.share_of_coupled(loss_)},
          {"accuracy", parts_.share_of_common(correct_.to(torch::kFloat32), global_batch_)}};
}

void RecognitionTraining::state(Snapshot& snapshot) {
  for (const auto& [name, tensor] : state_of(*network_))
    snapshot.replicated.push_back({"model." + name, tensor});
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
