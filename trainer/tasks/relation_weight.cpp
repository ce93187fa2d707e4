#include "trainer/tasks/relation_weight.h"

#include <torch/torch.h>

namespace facemae {
namespace {

constexpr std::uint64_t kMeasureEvery = 200;  ///< steps

}  // namespace

RelationWeight::RelationWeight(const std::string& weight, torch::Device device)
    : delay_(device.is_cpu() ? 0 : 2) {
  if (weight.starts_with("auto:"))
    ratio_ = std::stod(weight.substr(5));
  else
    fixed_ = torch::full({}, std::stod(weight), torch::TensorOptions().device(device).dtype(torch::kFloat64));
}

torch::Tensor RelationWeight::begin(const torch::Tensor& weight, std::uint64_t step) {
  step_ = step;
  if (fixed_.defined()) return fixed_;
  if (known_) return weight;
  earlier_.emplace_back(weight.reshape({1}));
  if (earlier_.size() > delay_) {
    known_ = earlier_.front().values().front() != 0;
    earlier_.pop_front();
  }
  if (known_) earlier_.clear();
  return weight;
}

bool RelationWeight::due() const { return step_ % kMeasureEvery == 0; }

bool RelationWeight::to_be_measured() const { return !fixed_.defined() && (due() || !known_); }

torch::Tensor RelationWeight::measured(const torch::Tensor& weight, const torch::Tensor& squares) const {
  const auto norms = squares.to(torch::kFloat64).sqrt();
  const auto of_pixel = norms[0], of_relation = norms[1];
  auto taken = torch::isfinite(of_pixel / of_relation);
  if (!due()) taken = taken.logical_and(weight == 0);
  return torch::where(taken, ratio_ * of_pixel / of_relation, weight);
}

}  // namespace facemae
