#include "model/common/tensor_digest.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <set>

namespace facemae {
namespace {

std::pair<std::int64_t, std::int64_t> digest(const torch::Tensor& value) {
  static const TensorDigest digest_on_cpu(torch::kCPU);
  const auto sums = digest_on_cpu.of(value);
  EXPECT_EQ(sums.sizes(), (std::vector<std::int64_t>{2}));
  return {sums[0].item<std::int64_t>(), sums[1].item<std::int64_t>()};
}

TEST(TensorDigest, SeesEveryBitOfEveryType) {
  for (const auto type : {torch::kFloat32, torch::kFloat64, torch::kBFloat16, torch::kInt64, torch::kUInt8}) {
    const auto value = torch::arange(0, 20, torch::kFloat32).to(type);
    std::set<std::pair<std::int64_t, std::int64_t>> seen{digest(value)};
    const auto bytes = value.clone().view(torch::kUInt8);
    for (std::int64_t byte = 0; byte < bytes.numel(); ++byte)
      for (int bit = 0; bit < 8; ++bit) {
        auto changed = bytes.clone();
        changed[byte] = changed[byte].bitwise_xor(1 << bit);
        seen.insert(digest(changed.view(type)));
      }
    EXPECT_EQ(seen.size(), 1U + 8 * value.nbytes()) << type;
  }
}

TEST(TensorDigest, SeesWordsThatChangedPlacesAlsoBetweenChunks) {
  constexpr std::int64_t kChunk = TensorDigest::kChunk;
  const auto value = torch::arange(2 * kChunk + 5, torch::kInt32);
  const auto expected = digest(value);
  EXPECT_EQ(digest(value.clone()), expected);
  const std::vector<std::pair<std::int64_t, std::int64_t>> places = {
      {0, 1}, {5, kChunk + 5}, {kChunk - 1, kChunk}, {7, 2 * kChunk + 4}};
  for (const auto& [a, b] : places) {
    auto changed = value.clone();
    changed[a] = value[b];
    changed[b] = value[a];
    EXPECT_NE(digest(changed), expected) << a << " and " << b;
  }
}

TEST(TensorDigest, IsOfTheValuesInTheirOrderWhateverTheMemory) {
  const auto value = torch::rand({6, 5});
  EXPECT_EQ(digest(value.t().contiguous().t()), digest(value));
  EXPECT_NE(digest(value.t()), digest(value));
  EXPECT_EQ(digest(torch::empty({0})), digest(torch::empty({0, 4})));
}

}  // namespace
}  // namespace facemae
