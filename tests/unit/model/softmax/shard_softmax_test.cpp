#include "model/softmax/shard_softmax.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <array>

#include "cluster/tensors/alone.h"
#include "model/softmax/margin_softmax.h"

namespace facemae {
namespace {

struct Batch {
  torch::Tensor embeddings, labels;
};

/// Faces near the centres of their classes, so that some are classified right.
Batch batch_for(ClassCentres& centres, std::int64_t rows) {
  torch::manual_seed(4);
  const auto labels = torch::randint(centres.classes(), {rows}, torch::kInt64);
  const auto own = centres.weight().index_select(0, labels);
  return {own + 0.08 * torch::randn({rows, 512}), labels};
}

TEST(ShardSoftmax, IsTheSoftmaxOverAllClassesForAnyNumberOfShards) {
  AloneCommunicator alone;
  const Margin margin{.kind = "arcface", .m = 0.3, .scale = 16};
  for (const std::int64_t shards : {1, 3, 7, 40, 1024}) {
    ClassCentres dense(40, 1, 6, alone, torch::kCPU), sharded(40, shards, 6, alone, torch::kCPU);
    const Batch batch = batch_for(dense, 12);
    const SoftmaxConfig config{.margin = margin, .class_filter = {}};
    MarginState state(margin, torch::kCPU);
    const auto want = margin_softmax(dense, state, config, batch.embeddings, batch.labels, {},
                                     std::array{std::int64_t{12}}, 20);
    const auto got = ShardSoftmax(sharded).loss(state, config, batch.embeddings, batch.labels, {}, 20);
    SCOPED_TRACE(shards);
    EXPECT_NEAR(got.loss.item<float>(), want.loss.item<float>(), 1e-5);
    EXPECT_EQ(got.correct.item<float>(), want.correct.item<float>());
    EXPECT_TRUE(torch::allclose(got.cotangent, want.cotangent, 1e-4, 1e-6));
    EXPECT_TRUE(torch::allclose(sharded.gradient(), dense.gradient(), 1e-4, 1e-6));
    EXPECT_GT(got.correct.item<float>(), 0);
    EXPECT_LT(got.correct.item<float>(), 12);
  }
}

}  // namespace
}  // namespace facemae
