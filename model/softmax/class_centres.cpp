#include "model/softmax/class_centres.h"

#include <torch/torch.h>

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "core/parallel.h"
#include "core/random/keys.h"
#include "model/common/sent.h"
#include "model/common/unit_rows.h"

namespace facemae {
namespace {

using torch::Tensor;

constexpr std::int64_t kRowsAtOnce = 8192;  // what is made of rows beside them is small, and fits into caches

Tensor drawn_centres(const ClassRange& range, std::uint64_t seed, std::int64_t width) {
  auto values = torch::empty({range.count, width}, torch::kFloat32);
  auto* rows = values.data_ptr<float>();
  in_ranges(range.count, 256, torch::get_num_threads(), [&](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) {
      Draws draws(key_of(seed, Purpose::Classes, static_cast<std::uint64_t>(range.first + i)));
      for (std::int64_t d = 0; d < width; ++d)
        rows[i * width + d] = static_cast<float>(0.01 * draws.normal());
    }
  });
  return values;
}

/// The first k rows of `memory`, which is replaced by more, at most `all`, if it has fewer.
Tensor room_for(Tensor& memory, std::int64_t k, const Tensor& all) {
  if (!memory.defined() || memory.size(0) < k) {
    memory = Tensor();
    memory = torch::empty({std::min(k + k / 16, all.size(0)), all.size(1)}, all.options());
  }
  return memory.narrow(0, 0, k);
}

Tensor inverse_norms(const Tensor& centres) {
  return torch::linalg_vector_norm(centres, 2, 1).clamp_min_(kLeastNorm).reciprocal_();
}

}  // namespace

ClassCentres::ClassCentres(std::int64_t classes, std::int64_t shards, std::uint64_t seed, Communicator& ranks,
                           torch::Device device, torch::ScalarType type, double rate, std::int64_t width)
    : ranks_(ranks), range_(classes_of_rank(classes, shards, ranks.rank(), ranks.size())) {
  const auto own = shards_of_rank(shards, ranks.rank(), ranks.size());
  own_ = {.classes = classes,
          .shards = shards,
          .first_shard = own.first,
          .own_shards = own.count,
          .rate = rate,
          .seed = seed};
  weight_ = drawn_centres(range_, seed, width).to(device, type);
  for (std::int64_t v = own.first; v <= own.first + own.count; ++v)
    bounds_of_all_.push_back(virtual_shard(classes, shards, v).first - range_.first);
}

void ClassCentres::begin(std::uint64_t step, std::vector<std::int64_t> labels) {
  ready_ = added_ = projected_ = false;
  if (!samples()) return;
  drawn_ = std::async(std::launch::async, [own = own_, step, labels = std::move(labels)] {
    return sample_classes(own, step, labels);
  });
}

const ActiveClasses& ClassCentres::active() {
  if (std::exchange(ready_, true)) return active_;
  const torch::NoGradGuard no_grad;
  if (samples()) {
    if (!drawn_.valid()) throw Error("a sampled softmax was asked for without the labels of its step");
    take(drawn_.get());
  } else {
    active_ = {.rows = {}, .centres = weight_, .inverse = {}, .bounds = bounds_of_all_};
  }
  active_.inverse = inverse_norms(active_.centres);
  return active_;
}

void ClassCentres::take(const ClassSample& sample) {
  active_.rows = sent(torch::tensor(sample.rows, torch::kInt64), weight_.device());
  active_.bounds = sample.bounds;
  active_.centres = room_for(taken_, active_.rows.size(0), weight_);
  torch::index_select_out(active_.centres, weight_, 0, active_.rows);
}

Tensor ClassCentres::place_of(const Tensor& labels) {
  const auto& rows = active().rows;
  const auto local = labels - range_.first;
  if (!rows.defined()) return local;
  if (rows.size(0) == 0) return torch::full_like(labels, -1);
  const auto place = torch::searchsorted(rows, local.contiguous()).clamp_max(rows.size(0) - 1);
  return torch::where(rows.index_select(0, place).eq(local), place, -1);
}

Tensor ClassCentres::gradient_to_add(bool& first) {
  first = !std::exchange(added_, true);
  return room_for(gradients_, active().centres.size(0), weight_);
}

/// Of x / |x|, from d loss / d (x / |x|) / |x|: what lies along x goes.
Tensor ClassCentres::gradient() {
  const torch::NoGradGuard no_grad;
  const auto& [rows, centres, inverse, bounds] = active();
  auto gradient = room_for(gradients_, centres.size(0), weight_);
  if (!added_) gradient.zero_();
  if (std::exchange(projected_, true)) return gradient;
  for (std::int64_t first = 0; first < centres.size(0); first += kRowsAtOnce) {
    const auto count = std::min(kRowsAtOnce, centres.size(0) - first);
    auto some = gradient.narrow(0, first, count);
    const auto centre = centres.narrow(0, first, count);
    const auto square = inverse.narrow(0, first, count).square().unsqueeze(1);
    const auto along = (some * centre).sum(1, /*keepdim=*/true).mul_(square);
    some.addcmul_(centre, along, -1);
  }
  return gradient;
}

}  // namespace facemae
