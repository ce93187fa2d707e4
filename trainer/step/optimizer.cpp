#include "trainer/step/optimizer.h"

#include <torch/torch.h>

#include <algorithm>

namespace facemae {
namespace {

// Of a tensor and all its views, which stay as they are meanwhile. What a device does with memory later than it is given
// back, the stream on which it was taken waits for.
void take_memory(const torch::Tensor& whole) {
  const c10::DeviceGuard guard(whole.device());
  auto* const storage = whole.storage().unsafeGetStorageImpl();
  storage->set_data_ptr_noswap(storage->allocator()->allocate(whole.nbytes()));
  storage->set_nbytes(whole.nbytes());
}
void give_back_memory(const torch::Tensor& whole) {
  auto* const storage = whole.storage().unsafeGetStorageImpl();
  storage->set_data_ptr_noswap(c10::DataPtr(nullptr, whole.device()));
  storage->set_nbytes(0);
}

torch::Tensor without_memory(const torch::Tensor& like) {
  const auto whole = torch::empty_like(like);
  give_back_memory(whole);
  return whole;
}

}  // namespace

Optimizer::Optimizer(const OptimizerConfig& config, GradientBuckets& buckets)
    : config_(config), buckets_(buckets) {
  const bool adamw = config_.kind == "adamw";
  for (auto& bucket : buckets_.buckets()) {
    const auto first = torch::zeros_like(bucket.own_values),
               second = adamw ? torch::zeros_like(bucket.own_values) : torch::Tensor();
    flats_.push_back({bucket.own_values, bucket.own_gradients, first, second,
                      bucket.decay ? config_.weight_decay : 0, first, second});
    if (!buckets_.sharded()) continue;
    flats_.back().whole_first = without_memory(bucket.values);
    if (adamw) flats_.back().whole_second = without_memory(bucket.values);
  }
  steps_ =
      torch::zeros({}, torch::TensorOptions().device(flats_.front().values.device()).dtype(torch::kFloat32));
  for (const auto& flat : flats_) {
    if (flat.values.numel() == 0) continue;
    auto lists = std::find_if(lists_.begin(), lists_.end(),
                              [&](const Lists& some) { return some.weight_decay == flat.weight_decay; });
    if (lists == lists_.end())
      lists = lists_.insert(lists_.end(), Lists{{}, {}, {}, {}, {}, flat.weight_decay});
    lists->values.push_back(flat.values);
    lists->gradients.push_back(flat.gradients);
    lists->first.push_back(flat.first);
    if (adamw) lists->second.push_back(flat.second);
    lists->steps.push_back(steps_);
  }
}

void Optimizer::step(double learning_rate, const OnDevice& on_device) {
  const torch::NoGradGuard no_grad;
  give_back();
  const auto found_inf = on_device.found_inf.defined() ? std::optional(on_device.found_inf) : std::nullopt;
  if (on_device.clip.defined()) buckets_.scale(on_device.clip);
  steps_.add_(1);
  for (const auto& lists : lists_) step_lists(lists, learning_rate, found_inf);
  if (found_inf) steps_.sub_(*found_inf);
  if (!buckets_.sharded()) return;
  std::vector<Work> works;
  for (auto& bucket : buckets_.buckets()) works.push_back(buckets_.gather(bucket.values, bucket.own_values));
  for (auto& work : works) work.wait();
}

void Optimizer::step_beside(const Beside& own, double learning_rate, const torch::Tensor& found_inf) {
  if (own.values.numel() == 0) return;
  const torch::NoGradGuard no_grad;
  Lists lists{{own.values}, {own.gradients}, {own.first}, {}, {steps_}, own.weight_decay};
  if (own.second.defined()) lists.second.push_back(own.second);
  step_lists(lists, learning_rate, found_inf.defined() ? std::optional(found_inf) : std::nullopt);
}

void Optimizer::step_lists(const Lists& lists, double learning_rate,
                           const std::optional<torch::Tensor>& found_inf) {
  config_.kind == "adamw" ? step_adamw(lists, learning_rate, found_inf)
                          : step_sgd(lists, learning_rate, found_inf);
}

// The fused kernels have private names, which are kept behind these two functions; a test compares them with the
// formulas.

void Optimizer::step_adamw(const Lists& lists, double learning_rate,
                           const std::optional<torch::Tensor>& found_inf) {
  at::_fused_adamw_(lists.values, lists.gradients, lists.first, lists.second, {}, lists.steps, learning_rate,
                    config_.beta1, config_.beta2, lists.weight_decay, config_.eps, /*amsgrad=*/false,
                    /*maximize=*/false, /*grad_scale=*/{}, found_inf);
}

void Optimizer::step_sgd(const Lists& lists, double learning_rate,
                         const std::optional<torch::Tensor>& found_inf) {
  if (config_.fused) {
    // Without momentum the kernel refuses to be given any.
    const auto momenta = config_.momentum == 0 ? at::TensorList() : at::TensorList(lists.first);
    at::_fused_sgd_(lists.values, lists.gradients, momenta, lists.weight_decay, config_.momentum,
                    learning_rate, /*dampening=*/0, config_.nesterov, /*maximize=*/false,
                    /*is_first_step=*/false, /*grad_scale=*/{}, found_inf);
    return;
  }
  if (found_inf && found_inf->item<float>() != 0) return;
  for (std::size_t i = 0; i < lists.values.size(); ++i) {
    lists.first[i].mul_(config_.momentum).add_(lists.gradients[i]);
    if (lists.weight_decay != 0) lists.first[i].add_(lists.values[i], lists.weight_decay);
    auto direction = lists.first[i];
    if (config_.nesterov)
      direction =
          lists.gradients[i].add(lists.values[i], lists.weight_decay).add_(lists.first[i], config_.momentum);
    lists.values[i].add_(direction, -learning_rate);
  }
}

template <class Change>
void Optimizer::for_each_whole(Change change) {
  if (!buckets_.sharded()) return;
  for (std::size_t i = 0; i < buckets_.buckets().size(); ++i) {
    change(flats_[i].whole_first, flats_[i].first);
    if (flats_[i].second.defined()) change(flats_[i].whole_second, flats_[i].second);
  }
}

std::uint64_t Optimizer::moment_bytes() const {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < buckets_.buckets().size(); ++i) {
    bytes += flats_[i].first.nbytes();
    if (flats_[i].second.defined()) bytes += flats_[i].second.nbytes();
  }
  return bytes;
}

void Optimizer::gather() {
  for_each_whole([&](const torch::Tensor& whole, const torch::Tensor& own) {
    take_memory(whole);
    buckets_.gather(whole, own).wait();
  });
  gathered_ = true;
}

void Optimizer::give_back() {
  if (gathered_)
    for_each_whole([](const torch::Tensor& whole, const torch::Tensor&) { give_back_memory(whole); });
  gathered_ = false;
}

void Optimizer::take_own() {
  for_each_whole(
      [&](const torch::Tensor& whole, const torch::Tensor& own) { own.copy_(buckets_.own_part(whole)); });
}

void Optimizer::add_to(Snapshot& snapshot) {
  const bool adamw = config_.kind == "adamw";
  const std::string first = adamw ? "optimizer.exp_avg." : "optimizer.momentum_buffer.";
  const std::string second = "optimizer.exp_avg_sq.";
  const bool steady = !buckets_.sharded() || steps_.is_cpu();
  // Views are made of what has memory.
  if (!gathered_)
    for_each_whole([](const torch::Tensor& whole, const torch::Tensor&) { take_memory(whole); });
  std::size_t flat = 0;
  for (auto& bucket : buckets_.buckets()) {
    for (const auto& slot : bucket.slots) {
      snapshot.replicated.push_back(
          {first + slot.name, Bucket::view(flats_[flat].whole_first, slot), steady});
      if (adamw)
        snapshot.replicated.push_back(
            {second + slot.name, Bucket::view(flats_[flat].whole_second, slot), steady});
    }
    ++flat;
  }
  snapshot.replicated.push_back({"optimizer.steps", steps_, true});
  if (!gathered_)
    for_each_whole([](const torch::Tensor& whole, const torch::Tensor&) { give_back_memory(whole); });
}

}  // namespace facemae
