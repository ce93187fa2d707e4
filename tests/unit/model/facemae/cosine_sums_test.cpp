// The cosine relation from sums over faces, against all pairs in double precision.
#include "model/facemae/cosine_sums.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <algorithm>
#include <array>

#include "cluster/tensors/alone.h"
#include "model/facemae/relation.h"
#include "tests/counted_bytes.h"

namespace facemae {
namespace {

struct Related {
  double loss, correlation;
  torch::Tensor gradient;
};

Related related(const torch::Tensor& real, const torch::Tensor& rebuilt, bool pairs, Communicator& ranks) {
  const std::array<std::int64_t, 1> rows{real.size(0)};
  const auto at = rebuilt.clone().requires_grad_();
  const auto result = relation_share(real, at, relation_from("cosine"), false, ranks, rows, {.pairs = pairs});
  result.share.backward();
  return {result.share.item<double>(), result.correlation.item<double>(), at.grad().to(torch::kFloat64)};
}

struct Embedded {
  torch::Tensor real, rebuilt;
};
/// `apart`: how far rebuilt faces are from real ones.
Embedded embedded_faces(std::int64_t rows, std::int64_t width, double apart) {
  torch::manual_seed(7);
  const auto real = torch::randn({rows, width}) + 0.3;
  return {real, real + apart * torch::randn({rows, width})};
}

TEST(CosineSums, EqualsAllPairsInDoubleForLossesOfAllSizes) {
  AloneCommunicator ranks;
  double largest = 0, smallest = 1;
  for (double apart = 3; apart > 2e-4; apart /= 2) {
    const auto [real, rebuilt] = embedded_faces(48, 16, apart);
    const auto pairs = related(real.to(torch::kFloat64), rebuilt.to(torch::kFloat64), true, ranks);
    const auto sums = related(real, rebuilt, false, ranks);
    EXPECT_NEAR(sums.loss, pairs.loss, 1e-6 * pairs.loss);
    EXPECT_LT((sums.gradient - pairs.gradient).norm().item<double>(),
              1e-5 * pairs.gradient.norm().item<double>())
        << "of a loss of " << pairs.loss;
    EXPECT_NEAR(sums.correlation, pairs.correlation, 1e-6) << "of a loss of " << pairs.loss;
    largest = std::max(largest, pairs.loss), smallest = std::min(smallest, pairs.loss);
  }
  EXPECT_GT(largest, 1e-1);
  EXPECT_LT(smallest, 1e-7);
}

TEST(CosineSums, SendsThreeSquaresHoweverManyFacesAreCompared) {
  constexpr std::int64_t width = 8;
  const auto sent = [&](std::int64_t faces) {
    AloneCommunicator alone;
    test::CountedBytes ranks(alone);
    const auto [real, rebuilt] = embedded_faces(faces, width, 0.5);
    related(real, rebuilt, false, ranks);
    return ranks.bytes;
  };
  constexpr std::size_t squares = 3 * width * width * sizeof(float);
  constexpr std::size_t figures = (2 * width + 5) * sizeof(double);  // of the correlation
  EXPECT_EQ(sent(9), squares + figures);
  EXPECT_EQ(sent(300), squares + figures);
}

TEST(CosineSums, CountsAFaceWithoutAnEmbeddingAsPairsDo) {
  AloneCommunicator ranks;
  auto [real, rebuilt] = embedded_faces(12, 5, 0.5);
  rebuilt[3].zero_();
  const auto pairs = related(real.to(torch::kFloat64), rebuilt.to(torch::kFloat64), true, ranks);
  const auto sums = related(real, rebuilt, false, ranks);
  EXPECT_NEAR(sums.loss, pairs.loss, 1e-6 * pairs.loss);
  EXPECT_NEAR(sums.correlation, pairs.correlation, 1e-6);
}

}  // namespace
}  // namespace facemae
