#include "model/recognition/class_logits.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <array>
#include <memory>

#include "cluster/tensors/alone.h"
#include "model/recognition/class_shards.h"
#include "model/recognition/shard_softmax.h"

namespace facemae {
namespace {

/// While it lives, counts this thread's allocations of at least so many bytes.
class LargeAllocations {
 public:
  explicit LargeAllocations(std::int64_t bytes)
      : seen_(std::make_shared<Seen>(bytes)), listening_(c10::DebugInfoKind::PROFILER_STATE, seen_) {}
  int count() const { return seen_->count; }

 private:
  struct Seen final : c10::MemoryReportingInfoBase {
    explicit Seen(std::int64_t bytes) : least(bytes) {}
    void reportMemoryUsage(void*, std::int64_t size, std::size_t, std::size_t, c10::Device) override {
      if (size >= least) ++count;
    }
    bool memoryProfilingEnabled() const override { return true; }
    std::int64_t least;
    int count = 0;
  };
  std::shared_ptr<Seen> seen_;
  c10::DebugInfoGuard listening_;
};

struct LogitsAndGradients {
  torch::Tensor largest, target, plain, sums, of_faces, of_centres;
};

/// By autograd, with as many matrices as it takes.
LogitsAndGradients by_autograd(const torch::Tensor& faces, const torch::Tensor& labels,
                               const torch::Tensor& centres, std::int64_t first, const Margin& margin,
                               double count) {
  const auto unit = faces.clone().requires_grad_(), weight = centres.clone().requires_grad_();
  const auto cosines = unit.matmul(unit_rows(weight).t()).clamp(-1, 1);
  const auto local = labels - first;
  const auto rows = local.ge(0).logical_and(local.lt(centres.size(0))).nonzero().squeeze(1);
  const auto columns = local.index_select(0, rows);
  const auto logits = (cosines * margin.scale)
                          .index_put_({rows, columns}, target_logits(cosines.index({rows, columns}), margin));
  const auto values = logits.detach();
  const auto spread = [&](const torch::Tensor& of_rows) {
    return torch::zeros({faces.size(0)}).index_put_({rows}, of_rows);
  };
  LogitsAndGradients result;
  result.largest = torch::stack(
      {values.clone().index_put_({rows, columns}, torch::full({}, -INFINITY)).amax(1), values.amax(1)});
  result.target = spread(values.index({rows, columns}));
  result.plain = spread(cosines.detach().index({rows, columns}) * margin.scale);
  const auto powers = (values - result.largest[1].unsqueeze(1)).exp();
  result.sums = powers.sum(1);
  auto cotangent = powers.div(result.sums.unsqueeze(1)).mul(1 / count);
  cotangent.index_put_({rows, columns}, torch::full({}, -1 / count), /*accumulate=*/true);
  const auto gradients = torch::autograd::grad({logits}, {unit, weight}, {cotangent});
  result.of_faces = gradients[0];
  result.of_centres = gradients[1];
  return result;
}

// Runs that earlier versions began, by autograd, go on with the same bits.
TEST(ClassLogits, HaveTheBitsOfAutograd) {
  torch::set_num_threads(1);
  torch::manual_seed(5);
  for (const auto& margin :
       {Margin{}, Margin{.kind = "cosface", .m = 0.4}, Margin{.straight_through = true}}) {
    SCOPED_TRACE(margin.kind);
    const auto faces = unit_rows(torch::randn({9, 512})), centres = 0.01 * torch::randn({30, 512});
    const auto labels = torch::randint(50, {9}, torch::kInt64);  // most are among classes 10 to 39
    const auto want = by_autograd(faces, labels, centres, 10, margin, 27);
    ClassLogits logits(faces, labels, centres, 10, margin);
    EXPECT_TRUE(torch::equal(logits.largest(), want.largest));
    EXPECT_TRUE(torch::equal(logits.target(), want.target));
    EXPECT_TRUE(torch::equal(logits.plain(), want.plain));
    const auto sums = logits.exponentiate(want.largest[1]);
    EXPECT_TRUE(torch::equal(sums, want.sums));
    auto of_centres = torch::zeros_like(centres);
    const auto of_faces = std::move(logits).differentiate(sums, 27, of_centres);
    EXPECT_TRUE(torch::equal(of_faces, want.of_faces));
    EXPECT_TRUE(torch::equal(of_centres, want.of_centres));
  }
}

TEST(UnitRows, HaveTheGradientOfAutogradToTheBit) {
  torch::manual_seed(6);
  auto x = torch::randn({7, 512});
  x[3].zero_();  // no direction: as autograd says
  const auto wanted = torch::randn({7, 512}), leaf = x.clone().requires_grad_();
  const auto gradient = torch::autograd::grad({unit_rows(leaf)}, {leaf}, {wanted}).front();
  UnitRows rows(x);
  EXPECT_TRUE(torch::equal(rows.rows(), unit_rows(x)));
  EXPECT_TRUE(torch::equal(std::move(rows).backward(wanted.clone()), gradient));
}

TEST(ClassLogits, AreTheOnlyMatrixOfFacesByClassesInAStep) {
  torch::set_num_threads(1);
  constexpr std::int64_t kFaces = 700, kClasses = 800;  // more than the 512 values of a row of either
  AloneCommunicator alone;
  ClassCentres centres(kClasses, 1, 1, alone, torch::kCPU);
  centres.weight().mutable_grad() = torch::zeros_like(centres.weight());
  ShardSoftmax by_shards(centres, alone);
  const auto embeddings = torch::randn({kFaces, 512});
  const auto labels = torch::randint(kClasses, {kFaces}, torch::kInt64);
  const LargeAllocations matrices(kFaces * kClasses * 4);
  centres.coupled(embeddings, labels, std::array{kFaces}, {}, kFaces);
  EXPECT_EQ(matrices.count(), 1);
  by_shards.loss(embeddings, labels, {}, kFaces);
  EXPECT_EQ(matrices.count(), 2);
  embeddings.matmul(centres.weight().detach().t()).exp();
  EXPECT_EQ(matrices.count(), 4) << "this would not see a second one";
}

}  // namespace
}  // namespace facemae
