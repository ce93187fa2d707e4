#include "model/recognition/shard_softmax.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "cluster/tensors/alone.h"
#include "core/error.h"

namespace facemae {
namespace {

struct Batch {
  torch::Tensor embeddings, labels;
};

/// Faces near the centres of their classes, so that some are classified right.
Batch batch_for(ClassCentres& centres, std::int64_t rows) {
  torch::manual_seed(4);
  const auto labels = torch::randint(centres.classes(), {rows}, torch::kInt64);
  const auto own = centres.weight().detach().index_select(0, labels);
  return {own + 0.08 * torch::randn({rows, 512}), labels};
}

TEST(ShardSoftmax, IsTheSoftmaxOverAllClassesForAnyNumberOfShards) {
  AloneCommunicator alone;
  const Margin margin{.kind = "arcface", .m = 0.3, .scale = 16};
  for (const std::int64_t shards : {1, 3, 7, 40, 1024}) {
    ClassCentres dense(40, 1, 6, alone, torch::kCPU), sharded(40, shards, 6, alone, torch::kCPU);
    const Batch batch = batch_for(dense, 12);
    auto leaf = batch.embeddings.clone().requires_grad_(true);
    const auto want = dense.loss(leaf, batch.labels, margin, 20);
    want.share.backward();

    sharded.weight().mutable_grad() = torch::zeros_like(sharded.weight());
    const auto got = ShardSoftmax(sharded, alone).loss(batch.embeddings, batch.labels, margin, 20);
    SCOPED_TRACE(shards);
    EXPECT_NEAR(got.loss.item<float>(), want.share.item<float>(), 1e-5);
    EXPECT_EQ(got.correct.item<float>(), want.correct.item<float>());
    EXPECT_TRUE(torch::allclose(got.cotangent, leaf.grad(), 1e-4, 1e-6));
    EXPECT_TRUE(torch::allclose(sharded.weight().grad(), dense.weight().grad(), 1e-4, 1e-6));
    EXPECT_GT(got.correct.item<float>(), 0);
    EXPECT_LT(got.correct.item<float>(), 12);
  }
}

TEST(ShardSoftmax, RefusesLabelsThatAreNoClasses) {
  AloneCommunicator alone;
  ClassCentres centres(5, 3, 6, alone, torch::kCPU);
  ShardSoftmax softmax(centres, alone);
  EXPECT_THROW(softmax.loss(torch::randn({2, 512}), torch::tensor({1, 5}, torch::kInt64), {}, 2), DataError);
}

}  // namespace
}  // namespace facemae
