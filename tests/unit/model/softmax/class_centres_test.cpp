#include "model/softmax/class_centres.h"

#include <ATen/record_function.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "cluster/tensors/alone.h"
#include "core/error.h"
#include "model/recognition/recognition.h"
#include "model/softmax/margin_softmax.h"
#include "tests/relative.h"

namespace facemae {
namespace {

/// Says it is some rank of some world; nothing is ever communicated.
class Pretender final : public Communicator {
 public:
  Pretender(int rank, int size) : rank_(rank), size_(size) {}
  int rank() const noexcept override { return rank_; }
  int size() const noexcept override { return size_; }
  torch::Device device() const noexcept override { return torch::kCPU; }
  Work all_reduce(torch::Tensor, Reduce) override { throw Error("a pretender cannot communicate"); }
  Work all_gather(torch::Tensor, torch::Tensor) override { throw Error("a pretender cannot communicate"); }
  Work reduce_scatter(torch::Tensor, torch::Tensor, Reduce) override {
    throw Error("a pretender cannot communicate");
  }
  Work broadcast(torch::Tensor, int) override { throw Error("a pretender cannot communicate"); }
  void abort() noexcept override {}

 private:
  int rank_, size_;
};

TEST(ClassShards, CoverEveryClassOnceInAnyWorld) {
  for (const std::int64_t classes : {1, 5, 1000, 10'572, 2'059'906}) {
    for (const std::int64_t shards : {8, 1024}) {
      std::int64_t next = 0;
      for (std::int64_t v = 0; v < shards; ++v) {
        const auto range = virtual_shard(classes, shards, v);
        EXPECT_EQ(range.first, next);
        next += range.count;
      }
      EXPECT_EQ(next, classes);
      for (const int world : {1, 2, 3, 7, 8}) {
        next = 0;
        for (int rank = 0; rank < world; ++rank) {
          const auto own = classes_of_rank(classes, shards, rank, world);
          EXPECT_EQ(own.first, next);
          EXPECT_EQ(own.first, virtual_shard(classes, shards, rank * shards / world).first);
          next += own.count;
        }
        EXPECT_EQ(next, classes);
      }
    }
  }
}

TEST(ClassShards, RefuseFewerShardsThanRanks) { EXPECT_THROW(classes_of_rank(100, 4, 0, 5), ConfigError); }

TEST(ClassCentres, AreDrawnByClassSoThatAnyWorldHasTheSame) {
  AloneCommunicator alone;
  const auto whole = ClassCentres(101, 16, 5, alone, torch::kCPU).weight().clone();
  EXPECT_NEAR(whole.std().item<double>(), 0.01, 2e-4);
  std::vector<torch::Tensor> pieces;
  for (int rank = 0; rank < 3; ++rank) {
    Pretender ranks(rank, 3);
    pieces.push_back(ClassCentres(101, 16, 5, ranks, torch::kCPU).weight());
  }
  EXPECT_TRUE(torch::equal(torch::cat(pieces), whole));
  EXPECT_FALSE(torch::equal(ClassCentres(101, 16, 6, alone, torch::kCPU).weight(), whole));
}

torch::Tensor unit_rows(const torch::Tensor& x) { return x / x.norm(2, 1, true); }

struct Dense {
  torch::Tensor loss, of_embeddings, of_centres;
};
/// The plain formula on one process, without a margin layer of ours.
Dense dense_cosface(const torch::Tensor& embeddings, const torch::Tensor& centres,
                    const torch::Tensor& labels) {
  auto x = embeddings.detach().clone().requires_grad_(), w = centres.detach().clone().requires_grad_();
  const auto logits = 64 * (unit_rows(x).matmul(unit_rows(w).t()) -
                            0.4 * torch::one_hot(labels, centres.size(0)).to(x.scalar_type()));
  const auto loss = torch::cross_entropy_loss(logits, labels);
  loss.backward();
  return {loss.detach(), x.grad(), w.grad()};
}

/// On the one rank that has all rows.
CoupledSoftmax coupled(ClassCentres& centres, const torch::Tensor& embeddings, const torch::Tensor& labels,
                       const Margin& margin, double count) {
  MarginState state(margin, torch::kCPU);
  const SoftmaxConfig config{.margin = margin, .class_filter = {}};
  return margin_softmax(centres, state, config, embeddings, labels, {}, std::array{embeddings.size(0)},
                        count);
}

TEST(ClassCentres, GiveTheDenseSoftmaxOnOneRank) {
  AloneCommunicator alone;
  torch::manual_seed(2);
  for (const auto& [type, tolerance] :
       {std::pair{torch::kFloat64, 1e-12}, std::pair{torch::kFloat32, 1e-6}}) {
    ClassCentres centres(37, 8, 1, alone, torch::kCPU, type);
    const auto embeddings = torch::randn({10, kEmbeddingWidth}, type);
    const auto labels = torch::randint(37, {10}, torch::kInt64);
    const auto result = coupled(centres, embeddings, labels, {.kind = "cosface", .m = 0.4}, 10);
    const auto dense = dense_cosface(embeddings, centres.weight(), labels);
    EXPECT_THAT(result.loss, test::IsWithin(tolerance, dense.loss));
    EXPECT_THAT(result.cotangent, test::IsWithin(tolerance, dense.of_embeddings));
    EXPECT_THAT(centres.gradient(), test::IsWithin(tolerance, dense.of_centres));
  }
}

TEST(ClassCentres, AddUpOverMicroBatchesToTheWholeBatch) {
  AloneCommunicator alone;
  torch::manual_seed(3);
  const auto embeddings = torch::randn({9, kEmbeddingWidth}, torch::kFloat64);
  const auto labels = torch::randint(20, {9}, torch::kInt64);
  ClassCentres whole(20, 4, 1, alone, torch::kCPU, torch::kFloat64),
      pieces(20, 4, 1, alone, torch::kCPU, torch::kFloat64);
  const auto all = coupled(whole, embeddings, labels, {}, 9).loss;
  double sum = 0;
  for (const auto& [first, count] : {std::pair{0, 4}, std::pair{4, 5}})
    sum += coupled(pieces, embeddings.narrow(0, first, count), labels.narrow(0, first, count), {}, 9)
               .loss.item<double>();
  EXPECT_NEAR(sum, all.item<double>(), 1e-10);
  EXPECT_THAT(pieces.gradient(), test::IsWithin(1e-12, whole.gradient()));
}

TEST(ClassCentres, CountRowsWhoseOwnCentreIsStrictlyTheNearest) {
  AloneCommunicator alone;
  ClassCentres centres(3, 3, 1, alone, torch::kCPU, torch::kFloat64);
  centres.weight() = torch::eye(3, torch::kFloat64);
  // Right by little (the margin must not count), right, wrong, and a tie.
  const auto embeddings =
      torch::tensor({{1.0, 0.9, 0.0}, {0.0, 0.0, 2.0}, {3.0, 1.0, 0.0}, {0.0, 0.0, 0.0}}, torch::kFloat64);
  const auto labels = torch::tensor({0, 2, 1, 0}, torch::kInt64);
  EXPECT_EQ(coupled(centres, embeddings, labels, {}, 4).correct.item<double>(), 2);
}

TEST(ClassCentres, DoNotClampTheLossOfHopelessRows) {
  AloneCommunicator alone;
  ClassCentres centres(2, 2, 1, alone, torch::kCPU);
  centres.weight() = torch::tensor({{1.0F, 0.0F}, {-1.0F, 0.0F}});
  const auto loss = coupled(centres, torch::tensor({{-1.0F, 0.0F}}), torch::zeros({1}, torch::kInt64),
                            {.kind = "cosface", .m = 0.4}, 1)
                        .loss;
  EXPECT_NEAR(loss.item<double>(), 64 * 2.4, 1e-4);
}

thread_local int reads = 0;

/// How often operations of this thread hand the host a value, for which a GPU's host would wait.
int reads_of(const std::function<void()>& call) {
  const auto count = [](const at::RecordFunction& called) -> std::unique_ptr<at::ObserverContext> {
    const std::string name = called.name();
    reads += name == "aten::_local_scalar_dense" || name == "aten::nonzero" || name == "aten::equal";
    return nullptr;
  };
  reads = 0;
  const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback(count));
  call();
  at::removeCallback(handle);
  return reads;
}

TEST(ClassCentres, ReadNoValueFromTheirDeviceInAStep) {
  AloneCommunicator alone;
  ClassCentres centres(40, 4, 1, alone, torch::kCPU);
  const auto embeddings = torch::randn({6, kEmbeddingWidth});
  const auto labels = torch::randint(40, {6}, torch::kInt64);
  EXPECT_EQ(reads_of([&] { coupled(centres, embeddings, labels, {}, 6); }), 0);
  EXPECT_GT(reads_of([&] { (void)labels.max().item<std::int64_t>(); }), 0) << "this would not see a read";
}

}  // namespace
}  // namespace facemae
