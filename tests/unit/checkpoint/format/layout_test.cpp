#include "checkpoint/format/layout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/random/keys.h"

namespace facemae {
namespace {

ManifestTensor tensor(std::string name, std::string dtype, std::vector<std::int64_t> shape,
                      bool by_class = false) {
  return {.name = std::move(name),
          .dtype = std::move(dtype),
          .shape = std::move(shape),
          .by_class = by_class,
          .pieces = {}};
}

TEST(CheckpointLayout, RowsOfRanksAreWholeVirtualShardsAndTileTheClasses) {
  for (const std::int64_t classes : {0, 1, 7, 100, 8631, 93431})
    for (const int world : {1, 2, 3, 5, 8}) {
      std::int64_t at = 0;
      for (int rank = 0; rank < world; ++rank) {
        const RowRange rows = rows_of_rank(classes, 16, rank, world);
        EXPECT_EQ(rows.first, at);
        at += rows.count;
      }
      EXPECT_EQ(at, classes);
    }
}

TEST(CheckpointLayout, LeavesTileATensorInPiecesOfAtMostEightMebibytes) {
  for (const bool by_class : {false, true}) {
    const auto big = tensor("t", "F32", {10007, 1024}, by_class);
    std::uint64_t at = 0;
    for (const ByteRange& leaf : leaves_of(big, 3)) {
      EXPECT_EQ(leaf.begin, at);
      EXPECT_GT(leaf.bytes, 0u);
      EXPECT_LE(leaf.bytes, kLeafBytes);
      at = leaf.end();
    }
    EXPECT_EQ(at, tensor_bytes(big));
  }
  EXPECT_TRUE(leaves_of(tensor("e", "F32", {0, 4}), 0).empty());
  EXPECT_EQ(leaves_of(tensor("n", "F64", {}), 0), (std::vector<ByteRange>{{0, 8}}));
}

TEST(CheckpointLayout, VirtualShardsBeginALeaf) {
  const auto centres = tensor("c", "F32", {1000, 4}, true);
  const auto leaves = leaves_of(centres, 7);
  ASSERT_EQ(leaves.size(), 7u);
  for (std::int64_t v = 0; v < 7; ++v)
    EXPECT_EQ(leaves[static_cast<std::size_t>(v)].begin,
              static_cast<std::uint64_t>(rows_of_shard(1000, 7, v).first) * 16);
}

TEST(CheckpointLayout, RefusesShapesThatOverflow) {
  EXPECT_THROW(tensor_bytes(tensor("t", "F32", {1LL << 40, 1LL << 40})), CheckpointError);
  EXPECT_THROW(tensor_bytes(tensor("t", "F32", {-1})), CheckpointError);
  EXPECT_THROW(tensor_bytes(tensor("t", "C64", {1})), CheckpointError);
}

TEST(CheckpointLayout, SharesOutEveryByteOnceAndEvenly) {
  Draws draws(key_of(7, Purpose::Samples));
  for (int round = 0; round < 200; ++round) {
    std::vector<ManifestTensor> tensors;
    std::uint64_t total = 0;
    for (std::uint64_t i = 0, n = draws.below(20); i < n; ++i) {
      const auto bytes = draws.below(4) == 0 ? draws.below(80u << 20) : draws.below(1u << 20);
      tensors.push_back(tensor("t" + std::to_string(i), "U8", {static_cast<std::int64_t>(bytes)}));
      total += bytes;
    }
    std::vector<std::uint64_t> loads(1 + draws.below(6));
    for (auto& load : loads) load = draws.below(3) == 0 ? draws.below(20u << 20) : 5u << 20;
    const auto most_before = *std::max_element(loads.begin(), loads.end());
    const auto pieces = share_out(tensors, loads);
    ASSERT_EQ(pieces.size(), loads.size());

    std::vector<std::uint64_t> next(tensors.size());
    std::vector<bool> named(tensors.size());
    const auto mean = (std::accumulate(loads.begin(), loads.end(), total)) / loads.size();
    for (std::size_t rank = 0; rank < pieces.size(); ++rank)
      for (const auto& piece : pieces[rank]) {
        EXPECT_EQ(piece.range.begin, next[piece.tensor]) << "pieces come in order, without gaps";
        next[piece.tensor] = piece.range.end();
        named[piece.tensor] = true;
        loads[rank] += piece.range.bytes;
      }
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      EXPECT_TRUE(named[i]);
      EXPECT_EQ(next[i], tensor_bytes(tensors[i]));
    }
    EXPECT_LE(*std::max_element(loads.begin(), loads.end()),
              std::max(most_before, mean) + kLeafBytes + loads.size());
  }
}

TEST(CheckpointLayout, KeepsSmallTensorsWhole) {
  const std::vector<ManifestTensor> tensors{tensor("a", "U8", {8 << 20}), tensor("b", "U8", {8 << 20}),
                                            tensor("c", "U8", {5})};
  for (const auto& rank : share_out(tensors, {0, 0, 0, 0}))
    for (const auto& piece : rank) EXPECT_EQ(piece.range.bytes, tensor_bytes(tensors[piece.tensor]));
}

TEST(CheckpointLayout, RootDependsOnEveryPartButNotOnThePieces) {
  auto whole = tensor("t", "U8", {16 << 20});
  whole.pieces = {{.file = 0, .offset = 0, .range = {0, 16 << 20}, .leaves = {{1, 2}, {3, 4}}}};
  auto cut = whole;
  cut.pieces = {{.file = 1, .offset = 9, .range = {0, 8 << 20}, .leaves = {{1, 2}}},
                {.file = 0, .offset = 5, .range = {8 << 20, 8 << 20}, .leaves = {{3, 4}}}};
  const Hash128 root = root_hash({whole}, 4);
  EXPECT_EQ(root_hash({cut}, 4), root);
  EXPECT_EQ(root_hash({whole}, 5), root) << "virtual shards are no part of a replicated tensor";

  auto other = whole;
  other.name = "u";
  EXPECT_NE(root_hash({other}, 4), root);
  other = whole;
  other.dtype = "I8";
  EXPECT_NE(root_hash({other}, 4), root);
  other = whole;
  other.shape = {2, 8 << 20};
  EXPECT_NE(root_hash({other}, 4), root);
  other = whole;
  std::swap(other.pieces[0].leaves[0], other.pieces[0].leaves[1]);
  EXPECT_NE(root_hash({other}, 4), root);
  auto second = whole;
  second.name = "s";
  EXPECT_EQ(root_hash({whole, second}, 4), root_hash({second, whole}, 4))
      << "tensors are taken in name order";
}

}  // namespace
}  // namespace facemae
