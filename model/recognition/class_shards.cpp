#include "model/recognition/class_shards.h"

#include <torch/torch.h>

#include <limits>

#include "cluster/tensors/collectives.h"
#include "core/error.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "model/common/precision.h"
#include "model/recognition/recognition.h"

namespace facemae {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

/// floor(a * b / c) without overflow for any number of classes.
std::int64_t share_of(std::int64_t a, std::int64_t b, std::int64_t c) {
  return static_cast<std::int64_t>(static_cast<__int128>(a) * b / c);
}

/// Largest value of each row; minus infinity where there are no columns.
Tensor row_maximum(const Tensor& matrix) {
  if (matrix.size(1) == 0)
    return torch::full({matrix.size(0)}, -std::numeric_limits<double>::infinity(), matrix.options());
  return matrix.amax(1);
}

/// Cross-entropy of rows whose columns are spread over ranks: two small all-reduces forward, none backward.
/// The softmax is kept in place of the logits' copy, so one [G, C] matrix is all it adds.
struct ShardedCrossEntropy : torch::autograd::Function<ShardedCrossEntropy> {
  /// logits [G, C] of our classes, with the margin; plain [G'] scaled cosines of our targets without it;
  /// rows, columns [G'] of our targets. Returns our share of the loss, and the number of rows classified
  /// right over all ranks.
  static tensor_list forward(AutogradContext* context, const Tensor& logits, const Tensor& plain,
                             const Tensor& rows, const Tensor& columns, double count, Communicator* ranks) {
    const auto target = logits.index({rows, columns});
    auto softmax = logits.clone();
    softmax.index_put_({rows, columns},
                       torch::full({}, -std::numeric_limits<double>::infinity(), logits.options()));

    // Row 0: the best of the other classes, for the accuracy. Row 1: the largest logit, for a sum
    // that cannot overflow.
    auto best = row_maximum(softmax).repeat({2, 1});
    auto largest = best[1];
    largest.index_put_({rows}, torch::maximum(largest.index_select(0, rows), target));
    ranks->all_reduce(best, Reduce::Max).wait();
    const auto right = (plain > best[0].index_select(0, rows)).sum().to(logits.scalar_type());

    const auto target_power = (target - largest.index_select(0, rows)).exp();
    softmax.sub_(largest.unsqueeze(1)).exp_();
    softmax.index_put_({rows, columns}, target_power);
    auto sums = torch::cat({softmax.sum(1), right.view(1)});
    ranks->all_reduce(sums, Reduce::Sum).wait();
    const auto total = sums.narrow(0, 0, logits.size(0));
    softmax.div_(total.unsqueeze(1));

    context->save_for_backward({softmax, rows, columns});
    context->saved_data["count"] = count;
    const auto rest = (largest + total.log()).index_select(0, rows) - target;
    const auto share = (rest.to(torch::kFloat64).sum() / count).to(logits.scalar_type());
    const auto correct = sums[-1].clone();
    context->mark_non_differentiable({correct});
    return {share, correct};
  }

  /// d share / d logits of the SUM of the ranks' shares: (softmax - target) / count, times the cotangent,
  /// which every rank must scale alike.
  static tensor_list backward(AutogradContext* context, tensor_list cotangents) {
    const auto saved = context->get_saved_variables();
    const auto per_row = cotangents[0] / context->saved_data["count"].toDouble();
    auto gradient = saved[0] * per_row;
    gradient.index_put_({saved[1], saved[2]}, -per_row, /*accumulate=*/true);
    return {gradient, {}, {}, {}, {}, {}};
  }
};

}  // namespace

Tensor unit_rows(const Tensor& x) { return x / x.norm(2, 1, /*keepdim=*/true).clamp_min(1e-12); }

ClassRange virtual_shard(std::int64_t classes, std::int64_t shards, std::int64_t v) {
  const auto first = share_of(v, classes, shards);
  return {first, share_of(v + 1, classes, shards) - first};
}

ClassRange classes_of_rank(std::int64_t classes, std::int64_t shards, int rank, int world) {
  if (shards < world)
    throw ConfigError(fmt::format(
        "sharding {} classes: {} virtual shards cannot be spread over {} ranks, each needs at least one; "
        "raise the number of virtual shards",
        classes, shards, world));
  if (classes < 1) throw ConfigError(fmt::format("sharding classes: there are {} of them", classes));
  const auto first = share_of(share_of(rank, shards, world), classes, shards);
  const auto end = share_of(share_of(rank + 1, shards, world), classes, shards);
  return {first, end - first};
}

ClassCentres::ClassCentres(std::int64_t classes, std::int64_t shards, std::uint64_t seed, Communicator& ranks,
                           torch::Device device, torch::ScalarType type)
    : classes_(classes),
      shards_(shards),
      ranks_(ranks),
      range_(classes_of_rank(classes, shards, ranks.rank(), ranks.size())) {
  auto values = torch::empty({range_.count, kEmbeddingWidth}, torch::kFloat32);
  auto* rows = values.data_ptr<float>();
  at::parallel_for(0, range_.count, 16, [&](std::int64_t begin, std::int64_t end) {
    for (auto i = begin; i < end; ++i) {
      Draws draws(key_of(seed, Purpose::Classes, static_cast<std::uint64_t>(range_.first + i)));
      for (std::int64_t d = 0; d < kEmbeddingWidth; ++d)
        rows[i * kEmbeddingWidth + d] = static_cast<float>(0.01 * draws.normal());
    }
  });
  weight_ = values.to(device, type).requires_grad_(true);
}

void ClassCentres::check_labels(const Tensor& labels) const {
  if (!labels.lt(0).logical_or(labels.ge(classes_)).any().item<bool>()) return;
  ranks_.check();  // they were gathered: a lost peer leaves any numbers behind
  throw DataError(
      fmt::format("margin softmax: labels from {} to {} for {} classes; "
                  "the labels of the store and the number of classes do not belong together",
                  labels.min().item<std::int64_t>(), labels.max().item<std::int64_t>(), classes_));
}

ClassCentres::Result ClassCentres::loss(const Tensor& embeddings, const Tensor& labels, const Margin& margin,
                                        double count) {
  const FullPrecision exact(embeddings.device().type());
  check_labels(labels);
  const auto type = weight_.scalar_type() == torch::kFloat64 ? torch::kFloat64 : torch::kFloat32;
  const auto faces = unit_rows(embeddings.to(type)), centres = unit_rows(weight_.to(type));
  const auto cosines = faces.matmul(centres.t()).clamp(-1, 1);

  const auto local = labels - range_.first;
  const auto ours = local.ge(0).logical_and(local.lt(range_.count));
  const auto target = torch::where(ours, local, -1);
  const auto rows = ours.nonzero().squeeze(1);
  const auto columns = target.index_select(0, rows);
  const auto plain = cosines.detach().index({rows, columns}) * margin.scale;

  const auto logits = margin_logits(cosines, target, margin);
  const auto result = ShardedCrossEntropy::apply(logits, plain, rows, columns, count, &ranks_);
  return {result[0], result[1]};
}

CoupledSoftmax ClassCentres::coupled(const Tensor& embeddings, const Tensor& labels,
                                     std::span<const std::int64_t> rows_of_rank, const Margin& margin,
                                     double count) {
  const auto own = embeddings.detach().requires_grad_(true);
  const auto all = gather_rows(own, ranks_, rows_of_rank);
  const auto [share, correct] = loss(all, gather_rows(labels, ranks_, rows_of_rank), margin, count);
  const auto gradients = torch::autograd::grad({share}, {own, weight_});
  weight_.mutable_grad().add_(gradients[1]);
  return {.cotangent = gradients[0], .loss = share.detach(), .correct = correct};
}

}  // namespace facemae
