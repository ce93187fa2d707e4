#include "trainer/step/gradient_buckets.h"

#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <functional>

#include "core/error.h"

namespace facemae {
namespace {

/// Runs after a parameter's gradient has been accumulated.
class PostHook final : public torch::autograd::FunctionPostHook {
 public:
  explicit PostHook(std::function<void()> then) : then_(std::move(then)) {}
  torch::autograd::variable_list operator()(const torch::autograd::variable_list& outputs,
                                            const torch::autograd::variable_list&) override {
    then_();
    return outputs;
  }

 private:
  std::function<void()> then_;
};

/// Indices of parameters per bucket. Going backwards through the parameters, one bucket of each decay kind is
/// open at a time; buckets are numbered by the parameter that fills them.
std::vector<std::vector<std::size_t>> group_parameters(const std::vector<Parameter>& parameters,
                                                       std::size_t first_limit, std::size_t limit) {
  std::vector<std::vector<std::size_t>> closed;
  std::vector<std::size_t> open[2];
  std::size_t bytes[2] = {0, 0};
  for (std::size_t i = parameters.size(); i-- > 0;) {
    const int kind = parameters[i].decay ? 1 : 0;
    open[kind].push_back(i);
    bytes[kind] += parameters[i].value.nbytes();
    if (bytes[kind] >= (closed.empty() ? first_limit : limit)) {
      closed.push_back(std::move(open[kind]));
      open[kind].clear();
      bytes[kind] = 0;
    }
  }
  std::vector<std::vector<std::size_t>> last;
  for (auto& group : open)
    if (!group.empty()) last.push_back(std::move(group));
  std::sort(last.begin(), last.end(), [](const auto& a, const auto& b) { return a.back() > b.back(); });
  closed.insert(closed.end(), last.begin(), last.end());
  return closed;
}

}  // namespace

torch::Tensor Bucket::view(const torch::Tensor& flat, const Slot& slot) {
  return flat.narrow(0, slot.offset, slot.value.numel()).view(slot.value.sizes());
}

struct GradientBuckets::Impl {
  explicit Impl(Communicator& communicator) : ranks(communicator) {}
  Communicator& ranks;
  std::vector<Bucket> buckets;
  std::vector<std::size_t> pending;  ///< per bucket: parameters without this step's gradient
  std::vector<Work> works;
  std::size_t next = 0;
  bool reducing = false;
  std::vector<std::shared_ptr<torch::autograd::Node>> nodes;  ///< the parameter holds its node weakly

  void ready(std::size_t bucket) {
    if (!reducing) return;
    --pending[bucket];
    for (; next < buckets.size() && pending[next] == 0; ++next)
      works.push_back(ranks.all_reduce(buckets[next].gradients, Reduce::Sum));
  }
};

GradientBuckets::GradientBuckets(std::vector<Parameter> parameters, Communicator& ranks,
                                 std::size_t bucket_bytes, std::size_t first_bucket_bytes)
    : impl_(std::make_shared<Impl>(ranks)) {
  for (const auto& group : group_parameters(parameters, first_bucket_bytes, bucket_bytes)) {
    Bucket bucket;
    bucket.decay = parameters[group.front()].decay;
    std::int64_t size = 0;
    for (const std::size_t i : group) {
      bucket.slots.push_back({parameters[i].name, parameters[i].value, size});
      size += parameters[i].value.numel();
    }
    const auto options = parameters[group.front()].value.options().requires_grad(false);
    bucket.values = torch::empty({size}, options);
    bucket.gradients = torch::zeros({size}, options);
    for (auto& slot : bucket.slots) {
      auto home = Bucket::view(bucket.values, slot);
      home.copy_(slot.value.detach());
      slot.value.set_data(home);
      slot.value.mutable_grad() = Bucket::view(bucket.gradients, slot);
    }
    impl_->buckets.push_back(std::move(bucket));
  }
  for (std::size_t b = 0; b < impl_->buckets.size(); ++b) {
    for (const auto& slot : impl_->buckets[b].slots) {
      auto node = torch::autograd::impl::grad_accumulator(slot.value);
      node->add_post_hook(std::make_unique<PostHook>([weak = std::weak_ptr(impl_), b] {
        if (const auto impl = weak.lock()) impl->ready(b);
      }));
      impl_->nodes.push_back(std::move(node));
    }
  }
}

GradientBuckets::~GradientBuckets() = default;

void GradientBuckets::begin() {
  for (auto& bucket : impl_->buckets) bucket.gradients.zero_();
}

void GradientBuckets::reduce_next() {
  impl_->pending.clear();
  for (const auto& bucket : impl_->buckets) impl_->pending.push_back(bucket.slots.size());
  impl_->works.clear();
  impl_->next = 0;
  impl_->reducing = true;
}

void GradientBuckets::finish() {
  impl_->reducing = false;
  if (impl_->next != impl_->buckets.size()) {
    std::string names;
    for (const auto& slot : impl_->buckets[impl_->next].slots) names += " " + slot.name;
    throw Error(
        "gradient bucket " + std::to_string(impl_->next) + " of " + std::to_string(impl_->buckets.size()) +
        " was never filled: one of its parameters got no gradient. Freeze it (requires_grad = false) or use it:" +
        names);
  }
  const auto start = std::chrono::steady_clock::now();
  for (auto& work : impl_->works) work.wait();
  exposed_seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void GradientBuckets::check() { impl_->ranks.check(); }

Communicator& GradientBuckets::ranks() { return impl_->ranks; }

torch::Tensor GradientBuckets::norm() const {
  std::vector<torch::Tensor> norms;
  for (const auto& bucket : impl_->buckets) norms.push_back(torch::linalg_vector_norm(bucket.gradients, 2));
  return torch::linalg_vector_norm(torch::stack(norms), 2);
}

void GradientBuckets::scale(const torch::Tensor& factor) {
  for (auto& bucket : impl_->buckets) bucket.gradients.mul_(factor);
}

std::vector<Bucket>& GradientBuckets::buckets() { return impl_->buckets; }

}  // namespace facemae
