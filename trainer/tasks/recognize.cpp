#include "trainer/tasks/recognize.h"

#include <torch/torch.h>

#include "cluster/tensors/collectives.h"
#include "model/common/state.h"

namespace facemae {

RecognitionTraining::RecognitionTraining(std::shared_ptr<RecognitionNetwork> network, ClassCentres centres,
                                         const RecognitionSettings& settings, Communicator& batch,
                                         Precision precision, torch::Device device)
    : network_(std::move(network)),
      centres_(std::move(centres)),
      settings_(settings),
      batch_(batch),
      precision_(precision),
      device_(device) {
  prepare(precision_);
  network_->train(!settings_.frozen_batch_norm);
  for (const auto& item : network_->named_buffers())
    if (item.value().is_floating_point()) statistics_.push_back(item.value());
}

std::vector<Parameter> RecognitionTraining::parameters() {
  std::vector<Parameter> trained;
  for (const auto& item : network_->named_parameters())
    if (item.value().requires_grad())
      trained.push_back({item.key(), item.value(), settings_.decay_all || item.value().dim() > 1});
  return trained;
}

ClassTensor RecognitionTraining::centres_at() {
  return {"centres", centres_.weight().detach(), centres_.range().first, centres_.classes()};
}

void RecognitionTraining::begin_step(std::uint64_t) {
  own_rows_ = 0;
  before_.clear();
  for (const auto& statistic : statistics_) before_.push_back(statistic.clone());
  loss_ = torch::zeros({}, torch::TensorOptions().device(device_));
  correct_ = torch::zeros_like(loss_);
}

torch::Tensor RecognitionTraining::loss_share(const Faces& faces) {
  torch::Tensor own;
  {
    const Autocast reduced(precision_, device_);
    own = network_->forward(faces.images);
  }
  const auto embeddings = gather_rows(own.to(torch::kFloat32), batch_, faces.rows_of_rank);
  const auto labels = gather_rows(faces.labels, batch_, faces.rows_of_rank);
  const auto softmax =
      centres_.loss(embeddings, labels, settings_.margin, static_cast<double>(settings_.global_batch));
  own_rows_ += faces.images.size(0);
  loss_ += softmax.share.detach();
  correct_ += softmax.correct;
  return softmax.share;
}

void RecognitionTraining::undo_step() {
  torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < statistics_.size(); ++i) statistics_[i].copy_(before_[i]);
}

torch::Tensor RecognitionTraining::flat_statistics() const {
  std::vector<torch::Tensor> flat;
  for (const auto& statistic : statistics_) flat.push_back(statistic.flatten());
  return torch::cat(flat);
}

void RecognitionTraining::set_statistics(const torch::Tensor& flat) {
  const torch::NoGradGuard no_grad;
  std::int64_t at = 0;
  for (auto& statistic : statistics_) {
    statistic.copy_(flat.narrow(0, at, statistic.numel()).view_as(statistic));
    at += statistic.numel();
  }
}

/// Running statistics become the mean over ranks, weighted by rows, so that replicated state is replicated.
void RecognitionTraining::end_step() {
  if (settings_.frozen_batch_norm || batch_.size() == 1) return;
  auto all =
      flat_statistics().mul_(static_cast<double>(own_rows_) / static_cast<double>(settings_.global_batch));
  batch_.all_reduce(all, Reduce::Sum).wait();
  set_statistics(all);
}

std::vector<Metric> RecognitionTraining::metrics() {
  // `correct` is the same on every rank already: each holds an equal share of it.
  const double rows = static_cast<double>(settings_.global_batch) * batch_.size();
  return {{"loss", loss_}, {"accuracy", correct_.to(torch::kFloat32) / rows}};
}

void RecognitionTraining::add_to(Snapshot& snapshot) {
  for (const auto& [name, tensor] : state_of(*network_))
    snapshot.replicated.push_back({"model." + name, tensor});
  snapshot.by_class.push_back(centres_at());
}

std::vector<Evaluated> RecognitionTraining::evaluate(World& world) {
  network_->eval();
  std::vector<Evaluated> results;
  for (const auto& set : settings_.evaluation)
    results.push_back(
        verify_pairs(set, *network_, world, {.show_progress = false, .refuse_not_finite = false}));
  network_->train(!settings_.frozen_batch_norm);
  return results;
}

}  // namespace facemae
