#include "trainer/step/gradient_buckets.h"

#include <torch/csrc/autograd/functions/accumulate_grad.h>
#include <torch/torch.h>

#include <algorithm>
#include <functional>
#include <set>

#include "core/error.h"
#include "trainer/step/stretch_clock.h"

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

std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

}  // namespace

torch::Tensor Bucket::view(const torch::Tensor& flat, const Slot& slot) {
  return flat.narrow(0, slot.offset, slot.value.numel()).as_strided(slot.value.sizes(), slot.value.strides());
}

struct GradientBuckets::Impl {
  Impl(Communicator& communicator, const BucketConfig& layout)
      : ranks(communicator), config(layout), exposed(communicator.device()) {
    if (ranks.size() == 1) config.travels_as = torch::kFloat32, config.shard = false;  // nothing travels
  }
  Communicator& ranks;
  BucketConfig config;
  std::vector<Bucket> buckets;
  std::vector<torch::Tensor> sent, received;  ///< per bucket: what travels; with bfloat16 not the gradients
  std::vector<std::size_t> pending;           ///< per bucket: parameters without this step's gradient
  std::vector<Work> works;
  StretchClock exposed;  ///< waiting for them
  std::size_t next = 0;
  bool reducing = false;
  std::vector<std::shared_ptr<torch::autograd::Node>> nodes;  ///< the parameter holds its node weakly

  void ready(std::size_t bucket) {
    if (!reducing) return;
    --pending[bucket];
    for (; next < buckets.size() && pending[next] == 0; ++next) reduce(next);
  }

  void reduce(std::size_t bucket) {
    const torch::NoGradGuard no_grad;
    if (!sent[bucket].is_same(buckets[bucket].gradients)) sent[bucket].copy_(buckets[bucket].gradients);
    works.push_back(config.shard ? ranks.reduce_scatter(received[bucket], sent[bucket], Reduce::Sum)
                                 : ranks.all_reduce(sent[bucket], Reduce::Sum));
  }

  void add(Bucket bucket) {
    const bool as_they_are = config.travels_as == bucket.gradients.scalar_type();
    bucket.own_values = config.shard ? own_part(bucket.values) : bucket.values;
    bucket.own_gradients = config.shard ? torch::zeros_like(bucket.own_values) : bucket.gradients;
    sent.push_back(as_they_are ? bucket.gradients : bucket.gradients.to(config.travels_as));
    received.push_back(as_they_are    ? bucket.own_gradients
                       : config.shard ? bucket.own_gradients.to(config.travels_as)
                                      : sent.back());
    buckets.push_back(std::move(bucket));
  }

  torch::Tensor own_part(const torch::Tensor& whole) const {
    const std::int64_t part = whole.numel() / ranks.size();
    return whole.narrow(0, ranks.rank() * part, part);
  }
};

GradientBuckets::GradientBuckets(const std::vector<Parameter>& parameters, Communicator& ranks,
                                 const BucketConfig& config)
    : impl_(std::make_shared<Impl>(ranks, config)) {
  constexpr std::int64_t kAlignment = 64;
  const bool shard = impl_->config.shard;
  for (const auto& group : group_parameters(parameters, config.first_bytes, config.bytes)) {
    const auto options = parameters[group.front()].value.options().requires_grad(false);
    const std::int64_t step =
        config.aligned || shard ? kAlignment / static_cast<std::int64_t>(options.dtype().itemsize()) : 1;
    Bucket bucket;
    bucket.decay = parameters[group.front()].decay;
    std::int64_t size = 0;
    for (const std::size_t i : group) {
      bucket.slots.push_back({parameters[i].name, parameters[i].value, size});
      size = round_up(size + parameters[i].value.numel(), step);
    }
    if (shard) size = round_up(size, step * ranks.size());
    bucket.values = torch::zeros({size}, options);
    bucket.gradients = torch::zeros({size}, options);
    for (auto& slot : bucket.slots) {
      auto home = Bucket::view(bucket.values, slot);
      home.copy_(slot.value.detach());
      slot.value.set_data(home);
      slot.value.mutable_grad() = Bucket::view(bucket.gradients, slot);
    }
    impl_->add(std::move(bucket));
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
  impl_->exposed.begin();
  for (auto& work : impl_->works) work.wait();
  for (std::size_t b = 0; b < impl_->buckets.size(); ++b) {
    auto& sum = impl_->buckets[b].own_gradients;
    if (!sum.is_same(impl_->received[b])) sum.copy_(impl_->received[b]);
  }
  impl_->exposed.end();
}

double GradientBuckets::exposed_seconds() { return impl_->exposed.take(); }

void GradientBuckets::check() { impl_->ranks.check(); }

Communicator& GradientBuckets::ranks() { return impl_->ranks; }

torch::Tensor GradientBuckets::norm() const {
  std::vector<torch::Tensor> norms;
  for (const auto& bucket : impl_->buckets)
    norms.push_back(torch::linalg_vector_norm(bucket.own_gradients, 2));
  const auto norm = torch::linalg_vector_norm(torch::stack(norms), 2);
  if (!sharded()) return norm;
  const auto square = norm.square();
  impl_->ranks.all_reduce(square, Reduce::Sum).wait();
  return square.sqrt();
}

void GradientBuckets::scale(const torch::Tensor& factor) {
  for (auto& bucket : impl_->buckets) bucket.own_gradients.mul_(factor);
}

std::vector<Bucket>& GradientBuckets::buckets() { return impl_->buckets; }

std::uint64_t GradientBuckets::gradient_bytes() const {
  std::uint64_t bytes = 0;
  for (std::size_t b = 0; b < impl_->buckets.size(); ++b) {
    std::set<const void*> flats;
    for (const auto& flat :
         {impl_->buckets[b].gradients, impl_->buckets[b].own_gradients, impl_->sent[b], impl_->received[b]})
      if (flats.insert(flat.const_data_ptr()).second) bytes += flat.nbytes();
  }
  return bytes;
}

bool GradientBuckets::sharded() const { return impl_->config.shard; }

Work GradientBuckets::gather(const torch::Tensor& whole, const torch::Tensor& own) {
  // A copy: MPI and NCCL want what is sent apart from what is received.
  return impl_->ranks.all_gather(whole, own.clone());
}

torch::Tensor GradientBuckets::own_part(const torch::Tensor& whole) const { return impl_->own_part(whole); }

}  // namespace facemae
