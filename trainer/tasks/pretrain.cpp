#include "trainer/tasks/pretrain.h"

#include <torch/torch.h>

#include <cmath>
#include <numeric>

#include "cluster/tensors/collectives.h"
#include "core/random/keys.h"
#include "model/common/state.h"
#include "trainer/apply/triptych.h"

namespace facemae {
namespace {

constexpr std::uint64_t kBalanceEvery = 200;  ///< steps between measurements of the automatic weight

}  // namespace

std::uint64_t mask_key(std::uint64_t seed, std::uint64_t ordinal) {
  return key_of(seed, Purpose::Mask, ordinal);
}

Pretraining::Pretraining(FaceMae model, std::unique_ptr<Embedder> embedder, const PretrainSettings& settings,
                         Communicator& batch, Precision precision, torch::Device device)
    : model_(std::move(model)),
      embedder_(std::move(embedder)),
      settings_(settings),
      batch_(batch),
      precision_(precision),
      device_(device),
      relation_weight_(settings.relation_weight) {
  prepare(precision_);
}

std::vector<Parameter> Pretraining::parameters() {
  std::vector<Parameter> trained;
  for (const auto& item : model_->named_parameters())
    // No decay on biases and norms, as in MAE; its tokens have three dimensions and do decay.
    if (item.value().requires_grad()) trained.push_back({item.key(), item.value(), item.value().dim() > 1});
  return trained;
}

void Pretraining::begin_step(std::uint64_t step) {
  step_ = step;
  if (embedder_) embedder_->at_step(step);
  reconstruction_ = torch::zeros({}, torch::TensorOptions().device(device_));
  relation_ = torch::zeros_like(reconstruction_);
  correlation_ = torch::zeros_like(reconstruction_);
}

Masked Pretraining::mask_of(const Faces& faces) const {
  std::vector<std::uint64_t> keys;
  for (const auto ordinal : faces.ordinals) keys.push_back(mask_key(settings_.seed, ordinal));
  return random_masks(keys, model_->config.patches(), settings_.mask_ratio, device_);
}

Pretraining::Forward Pretraining::rebuild(const Faces& faces) {
  const Masked mask = mask_of(faces);
  torch::Tensor predicted;
  {
    const Autocast reduced(precision_, device_);
    predicted = model_->decode(model_->encode(faces.images, mask), mask);
  }
  predicted = predicted.to(torch::kFloat32);
  return {mask, predicted, clamp_straight_through(model_->unpatchify(predicted), -1, 1)};
}

torch::Tensor Pretraining::pixel_share(const Faces& faces, const Forward& forward) const {
  const auto patches = model_->patchify(faces.images);
  const auto target = settings_.normalise_patches ? normalise_patches(patches) : patches;
  const double count =
      reconstruction_count(settings_.reconstruction, static_cast<std::int64_t>(settings_.global_batch),
                           model_->config.patches(), settings_.mask_ratio);
  return reconstruction_share(forward.predicted, target, forward.mask, settings_.reconstruction, count);
}

torch::Tensor Pretraining::embed_real(const Faces& faces) {
  const torch::NoGradGuard no_grad;
  return embedder_->embed(faces.images);
}

torch::Tensor Pretraining::loss_share(const Faces& faces) {
  const Forward forward = rebuild(faces);
  const auto pixel = pixel_share(faces, forward);
  reconstruction_ += pixel.detach();
  auto share = settings_.reconstruction_weight * pixel;
  if (settings_.relation == Relation::None) return share;

  if (two_passes()) {  // the relation's own loss is known already: send its cotangent through the embedder
    const auto& cotangent = cotangents_.at(static_cast<std::size_t>(faces.micro));
    return share + relation_weight_ * (embedder_->embed(forward.rebuilt) * cotangent).sum();
  }
  const auto real = embed_real(faces);
  const auto matched = relation_share(real, embedder_->embed(forward.rebuilt), settings_.relation,
                                      settings_.relation_center, batch_, faces.rows_of_rank);
  const double part = static_cast<double>(faces.micro_rows()) / static_cast<double>(settings_.global_batch);
  const auto relation = part * matched.share;
  if (to_be_balanced(faces)) {
    auto squares = gradient_squares(settings_.reconstruction_weight * pixel, relation, forward.predicted);
    batch_.all_reduce(squares, Reduce::Sum).wait();
    set_weight_from(squares);
  }
  relation_ += relation.detach();
  correlation_ += part * matched.correlation;
  return share + relation_weight_ * relation;
}

bool Pretraining::two_passes() const {
  return settings_.relation_over_global_batch && settings_.relation != Relation::None;
}

void Pretraining::observe(const Faces& faces) {
  torch::NoGradGuard no_grad;
  observed_.push_back(
      {embedder_->embed(faces.images), embedder_->embed(rebuild(faces).rebuilt), faces.rows_of_rank});
}

void Pretraining::observed_all() {
  std::vector<torch::Tensor> real, rebuilt;
  std::vector<std::int64_t> rows_of_rank(observed_.front().rows_of_rank.size(), 0);
  for (const auto& micro : observed_) {
    real.push_back(micro.real);
    rebuilt.push_back(micro.rebuilt);
    for (std::size_t r = 0; r < rows_of_rank.size(); ++r) rows_of_rank[r] += micro.rows_of_rank[r];
  }
  const auto leaf = torch::cat(rebuilt).requires_grad_(true);
  const auto matched = relation_share(torch::cat(real), leaf, settings_.relation, settings_.relation_center,
                                      batch_, rows_of_rank);
  matched.share.backward();
  cotangents_.clear();
  std::int64_t at = 0;
  for (const auto& micro : observed_) {
    cotangents_.push_back(leaf.grad().narrow(0, at, micro.rebuilt.size(0)));
    at += micro.rebuilt.size(0);
  }
  relation_ += matched.share.detach();
  correlation_ += matched.correlation;
  observed_.clear();
}

bool Pretraining::to_be_balanced(const Faces& faces) const {
  return settings_.automatic_ratio && faces.micro == 0 && (!measured_ || step_ % kBalanceEvery == 0);
}

/// |d pixel|^2 and |d relation|^2, gradients with respect to the predicted patches. They are the rebuilt
/// images' pixels in another sequence, and the clamp in between passes gradients on, so these norms are those
/// at the rebuilt images.
torch::Tensor Pretraining::gradient_squares(const torch::Tensor& pixel, const torch::Tensor& relation,
                                            const torch::Tensor& predicted) {
  const auto gradient_square = [&](const torch::Tensor& loss) {
    return torch::autograd::grad({loss}, {predicted}, {}, /*retain_graph=*/true).front().pow(2).sum();
  };
  return torch::stack({gradient_square(pixel), gradient_square(relation)}).detach();
}

/// Sets the weight so that, over the first micro-batch of all ranks, |d relation| * weight
/// = ratio * |d pixel|.
void Pretraining::set_weight_from(const torch::Tensor& squares) {
  const double of_pixel = std::sqrt(squares[0].item<double>()),
               of_relation = std::sqrt(squares[1].item<double>());
  if (of_relation > 0 && std::isfinite(of_pixel / of_relation)) {
    relation_weight_ = *settings_.automatic_ratio * of_pixel / of_relation;
    measured_ = true;
  }
}

void Pretraining::set_automatic_weight(double weight) {
  if (!settings_.automatic_ratio) return;
  relation_weight_ = weight;
  measured_ = weight > 0;
}

std::vector<Metric> Pretraining::metrics() {
  const auto total = settings_.reconstruction_weight * reconstruction_ + relation_weight_ * relation_;
  return {{"loss", total},
          {"reconstruction", reconstruction_},
          {"relation", relation_},
          {"relation_correlation", correlation_}};
}

void Pretraining::add_to(Snapshot& snapshot) {
  for (const auto& [name, tensor] : state_of(*model_))
    snapshot.replicated.push_back({"model." + name, tensor});
}

Image Pretraining::picture(const Faces& faces) {
  return triptych(model_, faces.images, mask_of(faces), settings_.normalise_patches);
}

}  // namespace facemae
