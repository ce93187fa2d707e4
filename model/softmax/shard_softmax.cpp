#include "model/softmax/shard_softmax.h"

#include <torch/torch.h>

#include <utility>

#include "model/softmax/class_logits.h"
#include "model/softmax/margin_targets.h"

namespace facemae {
namespace {

using torch::Tensor;

/// How many shards that hold classes lie before those of each rank; at the end, all.
std::vector<std::int64_t> bounds_of_ranks(const ClassCentres& centres, int world) {
  std::vector<std::int64_t> bounds{0};
  for (int rank = 0; rank < world; ++rank) {
    const auto own = shards_of_rank(centres.virtual_shards(), rank, world);
    auto& end = bounds.emplace_back(bounds.back());
    for (auto v = own.first; v < own.first + own.count; ++v)
      if (virtual_shard(centres.classes(), centres.virtual_shards(), v).count > 0) ++end;
  }
  return bounds;
}

/// Those of this rank that hold classes, by their numbers among its own.
std::vector<std::size_t> shards_with_classes(ClassCentres& centres) {
  std::vector<std::size_t> shards;
  const auto own = shards_of_rank(centres.virtual_shards(), centres.ranks().rank(), centres.ranks().size());
  for (std::int64_t i = 0; i < own.count; ++i)
    if (virtual_shard(centres.classes(), centres.virtual_shards(), own.first + i).count > 0)
      shards.push_back(static_cast<std::size_t>(i));
  return shards;
}

}  // namespace

ShardSoftmax::ShardSoftmax(ClassCentres& centres)
    : centres_(centres),
      shards_(shards_with_classes(centres)),
      tree_(bounds_of_ranks(centres, centres.ranks().size()), centres.ranks()) {}

CoupledSoftmax ShardSoftmax::loss(MarginState& state, const SoftmaxConfig& config, const Tensor& embeddings,
                                  const Tensor& labels, const Tensor& draws, double count) {
  const torch::NoGradGuard no_grad;
  MarginTargets targets(embeddings.detach(), labels, draws, centres_, config, state);
  const auto& active = centres_.active();
  const auto rows_in = [&](const Tensor& of_classes, std::size_t shard) {
    const auto first = active.bounds[shard];
    return of_classes.narrow(0, first, active.bounds[shard + 1] - first);
  };
  std::vector<ClassLogits> shards;
  for (const auto shard : shards_)
    shards.emplace_back(
        targets.faces(),
        LogitClasses{rows_in(active.centres, shard).clone(), rows_in(active.inverse, shard).clone()},
        LogitTargets{targets.place() - active.bounds[shard], targets.logit()}, targets.logit_config());
  const auto own = [&](std::int64_t leaf) { return static_cast<std::size_t>(leaf - tree_.first()); };
  const auto n = embeddings.size(0);

  auto best = torch::empty({2, n}, embeddings.options());
  tree_.maximum(best, [&](std::int64_t leaf) { return shards[own(leaf)].largest(); });
  const auto largest = best[1];
  auto total = torch::empty({n}, best.options());
  tree_.sum(total, [&](std::int64_t leaf) { return shards[own(leaf)].exponentiate(largest); });

  // What each face has of its own class: on one rank, and 0 on the others.
  auto figures = torch::stack({targets.losses(largest, total), targets.plain()});
  centres_.ranks().all_reduce(figures, Reduce::Sum).wait();
  const auto of_own = targets.differentiate(largest, total, count, &centres_.ranks());

  bool first = false;
  auto of_centres = centres_.gradient_to_add(first);
  auto of_faces = torch::empty({n, embeddings.size(1)}, best.options());
  tree_.sum(of_faces, [&](std::int64_t leaf) {
    return std::move(shards[own(leaf)])
        .differentiate(total, count, of_own, rows_in(of_centres, shards_[own(leaf)]), first);
  });
  return {.cotangent = std::move(targets).backward(std::move(of_faces)),
          .loss = (figures[0].to(torch::kFloat64).sum() / count).to(torch::kFloat32),
          .correct = figures[1].gt(best[0]).sum().to(torch::kFloat32)};
}

}  // namespace facemae
