#include "trainer/step/optimizer.h"

#include <torch/torch.h>

namespace facemae {

Optimizer::Optimizer(const OptimizerConfig& config, GradientBuckets& buckets, torch::Tensor centres)
    : config_(config), buckets_(buckets), centres_(std::move(centres)) {
  const bool adamw = config_.kind == "adamw";
  const auto add = [&](const torch::Tensor& values, const torch::Tensor& gradients, double decay) {
    flats_.push_back({values, gradients, torch::zeros_like(values),
                      adamw ? torch::zeros_like(values) : torch::Tensor(), decay});
  };
  for (auto& bucket : buckets_.buckets())
    add(bucket.values, bucket.gradients, bucket.decay ? config_.weight_decay : 0);
  if (centres_.defined()) {
    centres_.mutable_grad() = torch::zeros_like(centres_);
    add(centres_.detach(), centres_.mutable_grad(), config_.weight_decay);
  }
  steps_ =
      torch::zeros({}, torch::TensorOptions().device(flats_.front().values.device()).dtype(torch::kFloat32));
}

void Optimizer::step(double learning_rate, const torch::Tensor& skipped) {
  torch::NoGradGuard no_grad;
  const bool sgd = config_.kind == "sgd";
  if (sgd && skipped.item<float>() > 0) return;
  steps_.add_(1 - skipped);
  for (auto& flat : flats_) {
    if (flat.values.numel() == 0) continue;
    config_.kind == "adamw" ? step_adamw(flat, learning_rate, skipped) : step_sgd(flat, learning_rate);
  }
}

void Optimizer::step_adamw(Flat& flat, double learning_rate, const torch::Tensor& skipped) {
  // One fused pass; the private name is kept behind this function and checked against the formula in a test.
  at::_fused_adamw_({flat.values}, {flat.gradients}, {flat.first}, {flat.second}, {}, {steps_}, learning_rate,
                    config_.beta1, config_.beta2, flat.weight_decay, config_.eps, /*amsgrad=*/false,
                    /*maximize=*/false, /*grad_scale=*/{}, skipped);
}

void Optimizer::step_sgd(Flat& flat, double learning_rate) {
  flat.first.mul_(config_.momentum).add_(flat.gradients);
  if (flat.weight_decay != 0) flat.first.add_(flat.values, flat.weight_decay);
  flat.values.add_(flat.first, -learning_rate);
}

void Optimizer::add_to(Snapshot& snapshot, const ClassTensor* centres_at) {
  const bool adamw = config_.kind == "adamw";
  const std::string first = adamw ? "optimizer.exp_avg." : "optimizer.momentum_buffer.";
  const std::string second = "optimizer.exp_avg_sq.";
  std::size_t flat = 0;
  for (auto& bucket : buckets_.buckets()) {
    for (const auto& slot : bucket.slots) {
      snapshot.replicated.push_back({first + slot.name, Bucket::view(flats_[flat].first, slot), true});
      if (adamw)
        snapshot.replicated.push_back({second + slot.name, Bucket::view(flats_[flat].second, slot), true});
    }
    ++flat;
  }
  if (centres_at != nullptr) {
    snapshot.by_class.push_back(
        {first + centres_at->name, flats_[flat].first, centres_at->first, centres_at->total, true});
    if (adamw)
      snapshot.by_class.push_back(
          {second + centres_at->name, flats_[flat].second, centres_at->first, centres_at->total, true});
  }
  snapshot.replicated.push_back({"optimizer.steps", steps_, true});
}

}  // namespace facemae
