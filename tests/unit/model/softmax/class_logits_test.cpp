#include "model/softmax/class_logits.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <array>
#include <cmath>
#include <memory>

#include "cluster/tensors/alone.h"
#include "model/common/unit_rows.h"
#include "model/softmax/margin_softmax.h"
#include "model/softmax/shard_softmax.h"
#include "tests/relative.h"

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
  torch::Tensor largest, sums, of_faces, of_centres;
};

/// Cosines of other classes above 0.02 become 0.
void filter(torch::Tensor& others, torch::Tensor& factors) {
  factors = others.le(0.02).to(others.scalar_type());
  others.mul_(factors);
}

constexpr double kScale = 64, kCount = 27;

/// By autograd, with as many matrices as it takes. Rows without a place have their own class elsewhere.
LogitsAndGradients by_autograd(const torch::Tensor& faces, const torch::Tensor& centres,
                               const LogitTargets& targets, const torch::Tensor& total,
                               const torch::Tensor& of_targets, bool filtered) {
  const auto unit = faces.clone().requires_grad_(), weight = centres.clone().requires_grad_();
  // As constants: what the norms of centres want is not asked of ClassLogits.
  const auto cosines = unit.matmul((weight / centres.norm(2, 1, true)).t());
  const auto rows = targets.place.ge(0).nonzero().squeeze(1), columns = targets.place.index_select(0, rows);
  auto others =
      cosines.detach().clone().index_put_({rows, columns}, torch::full({}, -INFINITY, faces.options()));
  const auto kept = filtered ? cosines.detach().le(0.02).to(faces.scalar_type()) : torch::ones_like(cosines);
  const auto logits =
      (cosines * kept * kScale).index_put({rows, columns}, targets.logit.index_select(0, rows));
  LogitsAndGradients result;
  result.largest = torch::stack({others.amax(1) * kScale, logits.detach().amax(1)});
  const auto powers = (logits.detach() - result.largest[1].unsqueeze(1)).exp();
  result.sums = powers.sum(1);
  const auto of_logits =
      (powers / total.unsqueeze(1) / kCount).index_put({rows, columns}, torch::zeros({}, faces.options()));
  const auto own = cosines.index({rows, columns});
  const auto gradients =
      torch::autograd::grad({logits, own}, {unit, weight}, {of_logits, of_targets.index_select(0, rows)});
  result.of_faces = gradients[0];
  result.of_centres = gradients[1];
  return result;
}

struct LogitCase {
  torch::ScalarType type;
  double tolerance;
  std::int64_t at_once;
  bool filtered;
  LogitPrecision precision = LogitPrecision::Float32;
};

TEST(ClassLogits, AreThoseOfAutogradInPiecesOrNot) {
  torch::set_num_threads(1);
  torch::manual_seed(5);
  for (const bool filtered : {false, true})
    for (const auto& tested :
         {LogitCase{torch::kFloat64, 1e-12, 1000, filtered}, LogitCase{torch::kFloat64, 1e-12, 7, filtered},
          LogitCase{torch::kFloat64, 1e-12, 1, filtered}, LogitCase{torch::kFloat32, 2e-6, 1000, filtered},
          LogitCase{torch::kFloat32, 2e-6, 7, filtered}}) {
      SCOPED_TRACE(testing::Message() << tested.at_once << " at once, filtered: " << filtered
                                      << ", tolerance " << tested.tolerance);
      const auto faces = unit_rows(torch::randn({9, 512}, tested.type));
      const auto centres = 0.01 * torch::randn({30, 512}, tested.type);
      const LogitTargets targets{.place = torch::randint(-20, 30, {9}, torch::kInt64).clamp_min(-1),
                                 .logit = torch::randn({9}, tested.type)};
      const auto of_targets = torch::randn({9}, tested.type);
      LogitConfig config{.scale = kScale, .classes_at_once = tested.at_once, .move_others = {}};
      if (filtered) config.move_others = filter;
      ClassLogits logits(faces, {centres, centres.norm(2, 1).reciprocal()}, targets, config);
      const auto largest = logits.largest().clone();
      const auto beyond = largest[1] + 1;  // of a class of another rank
      const auto sums = logits.exponentiate(beyond);
      const auto total = 3 * sums;
      const auto want = by_autograd(faces, centres, targets, total * std::exp(1.0), of_targets, filtered);
      EXPECT_THAT(largest, test::IsWithin(tested.tolerance, want.largest));
      EXPECT_THAT(sums * std::exp(1.0), test::IsWithin(20 * tested.tolerance, want.sums));
      auto of_centres = torch::full_like(centres, NAN);
      const auto of_faces =
          std::move(logits).differentiate(total, kCount, of_targets, of_centres, /*first=*/true);
      EXPECT_THAT(of_faces, test::IsWithin(tested.tolerance, want.of_faces));
      EXPECT_THAT(of_centres, test::IsWithin(tested.tolerance, want.of_centres));
    }
}

TEST(ClassLogits, AddToTheGradientOfEarlierFaces) {
  torch::manual_seed(6);
  const auto faces = unit_rows(torch::randn({9, 512})), centres = torch::randn({30, 512});
  const LogitTargets targets{.place = torch::full({9}, -1, torch::kInt64), .logit = torch::zeros({9})};
  const auto gradient = [&](torch::Tensor sum, bool first) {
    ClassLogits logits(faces, {centres, centres.norm(2, 1).reciprocal()}, targets,
                       {.scale = 8, .move_others = {}});
    const auto total = logits.exponentiate(logits.largest()[1].clone());
    std::move(logits).differentiate(total, 9, torch::zeros({9}), sum, first);
    return sum;
  };
  const auto once = gradient(torch::empty_like(centres), true);
  EXPECT_THAT(gradient(once.clone(), false), test::IsWithin(1e-6, 2 * once));
}

// A cosine near 1 that was itself rounded to 8 bits would be an error of 0.1 of its logit.
TEST(ClassLogits, OfBFloat16RoundWhatIsMultipliedAndNoLogit) {
  torch::manual_seed(7);
  const auto faces = unit_rows(torch::randn({40, 512}));
  const auto centres =
      faces + 0.3 / std::sqrt(512.0) * torch::randn({40, 512});  // cosines to faces of about 0.96
  const LogitTargets targets{.place = torch::full({40}, -1, torch::kInt64), .logit = torch::zeros({40})};
  const auto best_of = [&](LogitPrecision precision) {
    const ClassLogits logits(faces, {centres, centres.norm(2, 1).reciprocal()}, targets,
                             {.scale = 64, .precision = precision, .move_others = {}});
    return logits.largest()[0].clone();
  };
  const auto exact = best_of(LogitPrecision::Float32), reduced = best_of(LogitPrecision::BFloat16);
  const auto off = (exact - reduced).abs().max().item<double>();
  EXPECT_GT(off, 1e-4) << "nothing was rounded";
  EXPECT_LT(off, 0.03);
  EXPECT_GT((exact - exact.to(torch::kBFloat16).to(torch::kFloat32)).abs().max().item<double>(), 0.08);
}

TEST(ClassLogits, OfNoClassesAreNothing) {
  const auto faces = unit_rows(torch::randn({3, 512}));
  ClassLogits logits(faces, {torch::empty({0, 512}), torch::empty({0})},
                     {torch::full({3}, -1, torch::kInt64), torch::zeros({3})}, {.move_others = {}});
  EXPECT_TRUE(torch::isinf(logits.largest()).all().item<bool>());
  EXPECT_EQ(logits.exponentiate(torch::ones({3})).sum().item<double>(), 0);
  auto none = torch::empty({0, 512});
  EXPECT_EQ(std::move(logits)
                .differentiate(torch::ones({3}), 3, torch::zeros({3}), none, true)
                .abs()
                .sum()
                .item<double>(),
            0);
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
  ShardSoftmax by_shards(centres);
  const SoftmaxConfig config{.margin = {}, .class_filter = {}};
  MarginState state(config.margin, torch::kCPU);
  const auto embeddings = torch::randn({kFaces, 512});
  const auto labels = torch::randint(kClasses, {kFaces}, torch::kInt64);
  const LargeAllocations matrices(kFaces * kClasses * 4);
  margin_softmax(centres, state, config, embeddings, labels, {}, std::array{kFaces}, kFaces);
  EXPECT_EQ(matrices.count(), 1);
  by_shards.loss(state, config, embeddings, labels, {}, kFaces);
  EXPECT_EQ(matrices.count(), 2);
  embeddings.matmul(centres.weight().t()).exp();
  EXPECT_EQ(matrices.count(), 4) << "this would not see a second one";
}

}  // namespace
}  // namespace facemae
