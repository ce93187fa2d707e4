#include "model/recognition/shard_softmax.h"

#include <torch/torch.h>

#include "model/recognition/class_logits.h"

namespace facemae {
namespace {

using torch::Tensor;

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

}  // namespace

ShardSoftmax::ShardSoftmax(ClassCentres& centres, Communicator& ranks)
    : centres_(centres), tree_(bounds_of_ranks(centres, ranks.size()), ranks) {
  const auto all = shards_that_hold_classes(centres);
  shards_.assign(all.begin() + tree_.first(), all.begin() + tree_.first() + tree_.own());
}

CoupledSoftmax ShardSoftmax::loss(const Tensor& embeddings, const Tensor& labels, const Margin& margin,
                                  double count) {
  const torch::NoGradGuard no_grad;
  UnitRows faces(embeddings.detach());
  const auto rows_in = [&](const Tensor& of_centres, const ClassRange& classes) {
    return of_centres.narrow(0, classes.first - centres_.range().first, classes.count);
  };
  std::vector<ClassLogits> shards;
  for (const auto& classes : shards_)
    shards.emplace_back(faces.rows(), labels, rows_in(centres_.weight().detach(), classes).clone(),
                        classes.first, margin);
  const auto own = [&](std::int64_t shard) { return static_cast<std::size_t>(shard - tree_.first()); };
  const auto n = embeddings.size(0);

  auto best = torch::empty({2, n}, embeddings.options());
  tree_.maximum(best, [&](std::int64_t shard) { return shards[own(shard)].largest(); });
  const auto largest = best[1];

  auto sums = torch::empty({3, n}, best.options());  // of powers; of targets with and without the margin
  tree_.sum(sums, [&](std::int64_t number) {
    auto& shard = shards[own(number)];
    return torch::stack({shard.exponentiate(largest), shard.target(), shard.plain()});
  });
  const auto total = sums[0];

  auto of_faces = torch::empty({n, embeddings.size(1)}, best.options());
  tree_.sum(of_faces, [&](std::int64_t number) {
    auto of_centres = rows_in(centres_.weight().grad(), shards_[own(number)]);
    return std::move(shards[own(number)]).differentiate(total, count, of_centres);
  });

  const auto rest = largest + total.log() - sums[1];
  return {.cotangent = std::move(faces).backward(of_faces),
          .loss = (rest.to(torch::kFloat64).sum() / count).to(torch::kFloat32),
          .correct = (sums[2] > best[0]).sum().to(torch::kFloat32)};
}

}  // namespace facemae
