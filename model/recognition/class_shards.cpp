#include "model/recognition/class_shards.h"

#include <torch/torch.h>

#include "cluster/tensors/collectives.h"
#include "core/error.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "model/recognition/class_logits.h"
#include "model/recognition/recognition.h"

namespace facemae {
namespace {

using torch::Tensor;

/// floor(a * b / c) without overflow for any number of classes.
std::int64_t share_of(std::int64_t a, std::int64_t b, std::int64_t c) {
  return static_cast<std::int64_t>(static_cast<__int128>(a) * b / c);
}

struct Gathered {
  Tensor embeddings, labels;
};
/// Of all ranks, in one collective: a label travels as the bits of one more value.
Gathered gathered(const Tensor& embeddings, const Tensor& labels, Communicator& ranks,
                  std::span<const std::int64_t> rows_of_rank) {
  if (ranks.size() == 1) return {embeddings, labels};
  const auto type = embeddings.scalar_type() == torch::kFloat64 ? torch::kInt64 : torch::kInt32;
  const auto bits = labels.to(type).unsqueeze(1).view(embeddings.scalar_type());
  const auto all = gather_rows(torch::cat({embeddings, bits}, 1), ranks, rows_of_rank);
  const auto width = embeddings.size(1);
  return {all.narrow(1, 0, width).contiguous(),
          all.narrow(1, width, 1).contiguous().view(type).squeeze(1).to(torch::kInt64)};
}

}  // namespace

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
  throw DataError(
      fmt::format("margin softmax: labels from {} to {} for {} classes; "
                  "the labels of the store and the number of classes do not belong together",
                  labels.min().item<std::int64_t>(), labels.max().item<std::int64_t>(), classes_));
}

CoupledSoftmax ClassCentres::coupled(const Tensor& embeddings, const Tensor& labels,
                                     std::span<const std::int64_t> rows_of_rank, const Margin& margin,
                                     double count) {
  const torch::NoGradGuard no_grad;
  const auto all = gathered(embeddings.detach().to(weight_.scalar_type()), labels, ranks_, rows_of_rank);
  UnitRows faces(all.embeddings);
  ClassLogits logits(faces.rows(), all.labels, weight_.detach(), range_.first, margin);

  auto best = logits.largest().clone();
  ranks_.all_reduce(best, Reduce::Max).wait();
  const auto largest = best[1];
  const auto right = logits.plain().gt(best[0]).bitwise_and(logits.ours()).sum().to(best.scalar_type());
  auto sums = torch::cat({logits.exponentiate(largest), right.view(1)});
  ranks_.all_reduce(sums, Reduce::Sum).wait();
  const auto total = sums.narrow(0, 0, largest.size(0));

  const auto rest = torch::where(logits.ours(), largest + total.log() - logits.target(), 0);
  auto of_faces = std::move(logits).differentiate(total, count, weight_.mutable_grad());
  return {.cotangent = sum_to_owner(std::move(faces).backward(of_faces), ranks_, rows_of_rank),
          .loss = (rest.to(torch::kFloat64).sum() / count).to(best.scalar_type()),
          .correct = sums[-1].clone()};
}

}  // namespace facemae
