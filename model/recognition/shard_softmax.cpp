#include "model/recognition/shard_softmax.h"

#include <torch/torch.h>

#include <limits>

namespace facemae {
namespace {

using torch::Tensor;

constexpr double kNothing = -std::numeric_limits<double>::infinity();

std::vector<ClassRange> shards_that_hold_classes(const ClassCentres& centres) {
  std::vector<ClassRange> shards;
  for (std::int64_t v = 0; v < centres.virtual_shards(); ++v)
    if (const auto shard = virtual_shard(centres.classes(), centres.virtual_shards(), v); shard.count > 0)
      shards.push_back(shard);
  return shards;
}

/// How many of them lie before the classes of each rank; at the end, all.
std::vector<std::int64_t> bounds_of_ranks(const ClassCentres& centres, int world) {
  const auto shards = shards_that_hold_classes(centres);
  std::vector<std::int64_t> bounds{0};
  for (int rank = 0; rank < world; ++rank) {
    const auto range = classes_of_rank(centres.classes(), centres.virtual_shards(), rank, world);
    auto end = bounds.back();
    while (end < static_cast<std::int64_t>(shards.size()) &&
           shards[static_cast<std::size_t>(end)].first < range.first + range.count)
      ++end;
    bounds.push_back(end);
  }
  return bounds;
}

/// Cosines of all faces and the classes of one virtual shard, as logits, with their graph.
struct Shard {
  Shard(const Tensor& faces, const Tensor& labels, const Tensor& rows_of_centres, const ClassRange& classes,
        const Margin& margin)
      : centres(rows_of_centres.detach().clone().requires_grad_(true)) {
    const auto cosines = faces.matmul(unit_rows(centres).t()).clamp(-1, 1);
    const auto local = labels - classes.first;
    const auto target = torch::where(local.ge(0).logical_and(local.lt(classes.count)), local, -1);
    rows = target.ge(0).nonzero().squeeze(1);
    columns = target.index_select(0, rows);
    plain = cosines.detach().index({rows, columns}) * margin.scale;
    logits = margin_logits(cosines, target, margin);
    values = logits.detach();
  }
  /// `of_rows` where a row's target is ours, else 0: [n].
  Tensor spread(const Tensor& of_rows) const {
    return torch::zeros({values.size(0)}, values.options()).index_put_({rows}, of_rows);
  }
  Tensor centres;                ///< [k, 512], a leaf
  Tensor rows, columns;          ///< [n'] of the targets among our classes
  Tensor plain, logits, values;  ///< [n'] without the margin; [n, k] with it, and the same without graph
};

/// Row 0: the best of the other classes, for the accuracy. Row 1: the largest logit, for a sum
/// that cannot overflow.
Tensor largest_of(const Shard& shard) {
  const auto others = shard.values.clone().index_put_({shard.rows, shard.columns},
                                                      torch::full({}, kNothing, shard.values.options()));
  return torch::stack({others.amax(1), shard.values.amax(1)});
}

}  // namespace

ShardSoftmax::ShardSoftmax(ClassCentres& centres, Communicator& ranks)
    : centres_(centres), tree_(bounds_of_ranks(centres, ranks.size()), ranks) {
  const auto all = shards_that_hold_classes(centres);
  shards_.assign(all.begin() + tree_.first(), all.begin() + tree_.first() + tree_.own());
}

CoupledSoftmax ShardSoftmax::loss(const Tensor& embeddings, const Tensor& labels, const Margin& margin,
                                  double count) {
  centres_.check_labels(labels);
  const auto leaf = embeddings.detach().requires_grad_(true);
  const auto unit = unit_rows(leaf);
  const auto faces = unit.detach().requires_grad_(true);
  std::vector<Shard> shards;
  for (const auto& classes : shards_)
    shards.emplace_back(faces, labels,
                        centres_.weight().narrow(0, classes.first - centres_.range().first, classes.count),
                        classes, margin);
  const auto own = [&](std::int64_t shard) -> Shard& {
    return shards[static_cast<std::size_t>(shard - tree_.first())];
  };
  const auto n = faces.size(0);

  auto best = torch::empty({2, n}, faces.options().requires_grad(false));
  tree_.maximum(best, [&](std::int64_t shard) { return largest_of(own(shard)); });
  const auto largest = best[1];

  auto sums = torch::empty({3, n}, best.options());  // of powers; of targets with and without the margin
  tree_.sum(sums, [&](std::int64_t number) {
    const auto& shard = own(number);
    return torch::stack({(shard.values - largest.unsqueeze(1)).exp().sum(1),
                         shard.spread(shard.values.index({shard.rows, shard.columns})),
                         shard.spread(shard.plain)});
  });
  const auto total = sums[0];

  // d loss / d logits = (softmax - target) / count.
  auto of_faces = torch::empty({n, faces.size(1)}, best.options());
  tree_.sum(of_faces, [&](std::int64_t number) {
    auto& shard = own(number);
    auto cotangent = (shard.values - largest.unsqueeze(1)).exp_().div_(total.unsqueeze(1)).mul_(1 / count);
    cotangent.index_put_({shard.rows, shard.columns}, torch::full({}, -1 / count, cotangent.options()),
                         /*accumulate=*/true);
    const auto gradients = torch::autograd::grad({shard.logits}, {faces, shard.centres}, {cotangent});
    const auto& classes = shards_[static_cast<std::size_t>(number - tree_.first())];
    centres_.weight()
        .grad()
        .narrow(0, classes.first - centres_.range().first, classes.count)
        .add_(gradients[1]);
    return gradients[0];
  });

  const auto rest = largest + total.log() - sums[1];
  return {.cotangent = torch::autograd::grad({unit}, {leaf}, {of_faces}).front(),
          .loss = (rest.to(torch::kFloat64).sum() / count).to(torch::kFloat32),
          .correct = (sums[2] > best[0]).sum().to(torch::kFloat32)};
}

}  // namespace facemae
