#include "trainer/tasks/pretrain.h"

#include <torch/torch.h>

#include <array>

#include "model/common/state.h"
#include "trainer/config/decay.h"

namespace facemae {
namespace {

torch::Tensor square_of(const torch::Tensor& gradient) { return gradient.pow(2).sum(); }

torch::Tensor beside(const std::vector<torch::Tensor>& columns) {
  return columns.size() == 1 ? columns.front() : torch::cat(columns, 1);
}

}  // namespace

Pretraining::Pretraining(FaceMae model, std::unique_ptr<Embedder> embedder, const PretrainConfig& config,
                         std::string kind, Parts parts, Precision precision, torch::Device device)
    : model_(std::move(model)),
      embedder_(std::move(embedder)),
      config_(config),
      kind_(std::move(kind)),
      parts_(std::move(parts)),
      device_(device),
      rebuilding_(make_rebuilding(model_, config, precision)),
      relation_(relation_from(config.relation)),
      relation_weight_(config.relation_weight, device),
      form_{.pairs = config.relation_form == "pairs"},
      embedder_precision_(config.relation_precision == "same" ? precision : Precision::Float32),
      global_rows_(static_cast<double>(config.common.batch) /
                   static_cast<double>(rebuilding_->faces_per_row())) {
  faces_per_row = rebuilding_->faces_per_row();
  automatic_weight = torch::zeros({}, torch::TensorOptions().device(device).dtype(torch::kFloat64));
  if (!config.linkage_weight.empty()) {
    const auto patches = model_->config.patches();
    linkage_.emplace(
        config.linkage_weight, config.linkage,
        static_cast<double>(kept_patches(patches, config.mask_ratio)) / static_cast<double>(patches), device);
    linkage_weight = torch::zeros_like(automatic_weight);
  }
  compares_whole_batch = config.relation_batch == "global" && config.common.accumulate > 1 &&
                         (relation_ != Relation::None || linkage_);
  form_.bfloat16 = embedder_precision_ == Precision::BFloat16;
  prepare(precision, embedder_precision_ == precision ? Remainder::Tf32 : Remainder::Float32);
}

std::vector<Parameter> Pretraining::parameters() {
  return trained_parameters(*model_, decay_named(config_.common.decay, Decay::Matrices));
}

FaceNeeds Pretraining::needs() const {
  return {.labels = false,
          .noise = {.values = static_cast<std::size_t>(model_->config.patches()),
                    .draw = [seed = config_.common.seed](std::uint64_t ordinal, std::span<double> noise) {
                      draw_noise(mask_key(seed, ordinal), noise);
                    }}};
}

void Pretraining::begin(std::uint64_t step) {
  step_ = step;
  automatic_weight = relation_weight_.begin(automatic_weight, step);
  if (linkage_) linkage_weight = linkage_->begin(linkage_weight);
  if (embedder_) embedder_->at_step(step);
  form_.correlation = measured;
  real_.reset();
  relation_figure_ = torch::zeros({}, torch::TensorOptions().device(device_));
  correlation_ = torch::zeros_like(relation_figure_);
  linkage_figure_ = torch::zeros_like(relation_figure_);
  pixel_of_part_.assign(parts_.own(), torch::zeros_like(relation_figure_));
}

Pass Pretraining::forward(const Faces& faces) {
  const bool compared = relation_ != Relation::None || linkage_;
  // The real side comes first: its rows are on their way while faces are rebuilt. What a first pass has compared is not
  // asked for again.
  Pass pass;
  if (compared && !(compares_whole_batch && torch::GradMode::is_enabled()))
    pass.reference = reference_of(faces);

  const auto [predicted, pixel] = rebuilding_->rebuild(faces);
  if (torch::GradMode::is_enabled()) pixel_of_part_[faces.part] = pixel_of_part_[faces.part] + pixel.detach();
  pass.loss = config_.reconstruction_weight * pixel;
  if (!compared) return pass;
  if (to_be_balanced(faces.micro)) pass.output = predicted;
  const auto pictures = clamp_straight_through(model_->unpatchify(predicted), -1, 1);
  std::vector<torch::Tensor> rows;  // side by side
  if (relation_ != Relation::None) {
    const Autocast reduced(embedder_precision_, device_);
    rows.push_back(embedder_->embed(pictures));
  }
  if (linkage_) rows.push_back(linkage_->features(pictures));
  pass.rows = beside(rows);
  return pass;
}

/// What the rows of a pass are compared with.
torch::Tensor Pretraining::reference_of(const Faces& faces) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> reference;  // side by side
  if (relation_ != Relation::None) {
    const Autocast reduced(embedder_precision_, device_);
    reference.push_back(rebuilding_->reference(faces, *embedder_));
    if (!parts_.exact() && !compares_whole_batch) {
      auto rows_of_rank = faces.rows_of_rank;
      for (auto& rows : rows_of_rank) rows /= faces_per_row;
      real_.emplace(reference.front(), relation_, config_.relation_center, parts_.ranks(), rows_of_rank,
                    form_);
    }
  }
  if (linkage_) reference.push_back(linkage_->features(rebuilding_->originals(faces)));
  return beside(reference);
}

Coupled Pretraining::couple(const Group& group) {
  static constexpr std::array compared = {&Pass::reference, &Pass::rows};
  Coupling faces(parts_, group, compared);
  const auto rows = faces.rows(&Pass::rows).requires_grad_(true);
  const auto reference = faces.rows(&Pass::reference);
  std::vector<Wanted> wanted;
  if (relation_ != Relation::None) wanted.push_back(relate(group, rows, reference, faces));
  if (linkage_) wanted.push_back(link(group, rows, reference, faces));
  for (std::size_t i = 1; i < wanted.size(); ++i) {
    wanted[0].gradient = wanted[0].gradient + wanted[i].gradient;
    wanted[0].loss = wanted[0].loss + wanted[i].loss;
  }
  return {.wanted = faces.spread(wanted[0].gradient), .loss = wanted[0].loss};
}

torch::Tensor Pretraining::embeddings_in(const torch::Tensor& rows) const {
  return linkage_ ? rows.narrow(1, 0, rows.size(1) - linkage_->width()) : rows;
}

torch::Tensor Pretraining::features_in(const torch::Tensor& rows) const {
  return rows.narrow(1, rows.size(1) - linkage_->width(), linkage_->width());
}

Pretraining::Wanted Pretraining::relate(const Group& group, const torch::Tensor& rows,
                                        const torch::Tensor& reference, Coupling& faces) {
  if (!real_)
    real_.emplace(embeddings_in(reference), relation_, config_.relation_center, faces.ranks(),
                  faces.rows_of_rank(), form_);
  const auto matched = relation_share(*real_, embeddings_in(rows));
  real_.reset();
  const double part = static_cast<double>(faces.total()) / global_rows_;
  const auto loss = part * matched.share;
  // Where the weight enters is a matter of last bits, which runs keep from start to start: before the way back through
  // a loss of one micro-batch, behind it through one of several, and of --exact.
  const bool before = !parts_.exact() && group.size() == 1;
  const auto gradient = [&](const torch::Tensor& seed, bool again) {
    return torch::autograd::grad({loss}, {rows}, {seed}, /*retain_graph=*/again).front();
  };
  const auto one = [&] { return torch::ones_like(loss.detach()); };
  if (to_be_balanced(group.front().micro))
    balance(group.front(), faces.spread(gradient(one(), true)).front());
  relation_figure_ += loss.detach();
  correlation_ += part * matched.correlation;
  const auto weight = automatic_weight.to(loss.scalar_type());
  return {.gradient = before ? gradient(weight, false) : gradient(one(), false) * weight,
          .loss = weight * loss.detach()};
}

Pretraining::Wanted Pretraining::link(const Group& group, const torch::Tensor& rows,
                                      const torch::Tensor& reference, Coupling& faces) {
  const auto linked = linkage_->couple(features_in(rows), features_in(reference), faces);
  if (group.front().micro == 0)
    linkage_weight = linkage_->next_weight(linkage_weight, step_, linked.hits, faces);
  const double part = static_cast<double>(faces.total()) / global_rows_;
  linkage_figure_ += part * linked.loss;
  auto gradient = torch::zeros_like(rows);
  const auto weight = (linkage_weight * part).to(linked.loss.scalar_type());
  features_in(gradient).copy_(weight * linked.gradient);
  return {.gradient = gradient, .loss = weight * linked.loss};
}

/// On the first micro-batch, when the automatic weight is to be measured.
bool Pretraining::to_be_balanced(int micro) const {
  return micro == 0 && relation_ != Relation::None && relation_weight_.to_be_measured();
}

/// Sets the weight so that |d relation| * weight = ratio * |d pixel|, gradients with respect to the predicted patches
/// of all ranks. These are the rebuilt images' pixels in another sequence, and the clamp in between passes gradients
/// on, so these norms are those at the rebuilt images.
void Pretraining::balance(const Passes& passes, const std::vector<torch::Tensor>& wanted) {
  std::vector<torch::Tensor> of_parts;
  for (std::size_t part = 0; part < passes.parts.size(); ++part) {
    const Pass& pass = passes.parts[part];
    const auto pixel = torch::autograd::grad({pass.loss}, {pass.output}, {}, /*retain_graph=*/true).front();
    const auto relation =
        torch::autograd::grad({pass.rows}, {pass.output}, {wanted[part]}, /*retain_graph=*/true).front();
    of_parts.push_back(torch::stack({square_of(pixel), square_of(relation)}));
  }
  automatic_weight = relation_weight_.measured(automatic_weight, parts_.sum(of_parts));
}

std::vector<Metric> Pretraining::metrics() {
  const auto pixel = parts_.share_of_sum(pixel_of_part_),
             relation = parts_.share_of_coupled(relation_figure_);
  std::vector<Metric> metrics = {{"loss", config_.reconstruction_weight * pixel +
                                              automatic_weight.to(relation.scalar_type()) * relation},
                                 {"reconstruction", pixel},
                                 {"relation", relation},
                                 {"relation_correlation", parts_.share_of_coupled(correlation_)}};
  if (!linkage_) return metrics;
  const auto linkage = parts_.share_of_coupled(linkage_figure_);
  const auto weight = linkage_weight.to(linkage.scalar_type());
  metrics[0].share = metrics[0].share + weight * linkage;
  metrics.push_back({"linkage", linkage});
  metrics.push_back({"linkage_weight", parts_.share_of_common(weight, 1)});
  return metrics;
}

void Pretraining::state(Snapshot& snapshot) {
  for (const auto& [name, tensor] : state_of(*model_))
    snapshot.replicated.push_back({"model." + name, tensor});
}

}  // namespace facemae
