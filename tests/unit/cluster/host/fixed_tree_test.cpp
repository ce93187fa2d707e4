#include "cluster/host/fixed_tree.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

namespace facemae {
namespace {

std::string join(const std::string& left, const std::string& right) { return "(" + left + right + ")"; }

/// The tree over `leaves` letters as a text, with all letters at hand.
std::string whole_tree(std::int64_t leaves) {
  const auto letter = [](const TreeNode& node) -> std::optional<std::string> {
    if (node.width > 1) return std::nullopt;
    return std::string(1, static_cast<char>('a' + node.first));
  };
  return fold(tree_root(leaves), leaves, letter, join);
}

/// The same from what each of `bounds`' owners makes of its own letters.
std::string tree_of_owners(const std::vector<std::int64_t>& bounds) {
  const std::int64_t leaves = bounds.back();
  std::map<std::int64_t, std::pair<TreeNode, std::string>> given;
  for (std::size_t r = 0; r + 1 < bounds.size(); ++r) {
    const auto own = [&](const TreeNode& node) -> std::optional<std::string> {
      if (node.width > 1) return std::nullopt;
      EXPECT_TRUE(node.first >= bounds[r] && node.first < bounds[r + 1]) << "a leaf of another owner";
      return std::string(1, static_cast<char>('a' + node.first));
    };
    for (const auto& node : whole_nodes(bounds[r], bounds[r + 1], leaves))
      given[node.first] = {node, fold(node, leaves, own, join)};
  }
  const auto known = [&](const TreeNode& node) -> std::optional<std::string> {
    const auto found = given.find(node.first);
    if (found == given.end() || found->second.first != node) return std::nullopt;
    return found->second.second;
  };
  return fold(tree_root(leaves), leaves, known, join);
}

TEST(FixedTree, HalvesItsLeavesAndLeavesOutWhatIsNotThere) {
  EXPECT_EQ(whole_tree(1), "a");
  EXPECT_EQ(whole_tree(4), "((ab)(cd))");
  EXPECT_EQ(whole_tree(5), "(((ab)(cd))e)");
  EXPECT_EQ(whole_tree(7), "(((ab)(cd))((ef)g))");
}

TEST(FixedTree, IsTheSameWhoeverOwnsTheLeaves) {
  for (std::int64_t leaves = 1; leaves <= 20; ++leaves)
    for (int parts = 1; parts <= 9; ++parts)
      EXPECT_EQ(tree_of_owners(part_bounds(leaves, parts)), whole_tree(leaves)) << leaves << " on " << parts;
  EXPECT_EQ(tree_of_owners({0, 0, 3, 3, 11, 11}), whole_tree(11)) << "some own nothing";
}

TEST(FixedTree, LetsFewNodesTravel) {
  for (std::int64_t first = 0; first < 64; ++first)
    for (std::int64_t end = first; end <= 64; ++end) {
      const auto nodes = whole_nodes(first, end, 64);
      EXPECT_LE(nodes.size(), 10U);
      std::int64_t at = first;
      for (const auto& node : nodes) {
        EXPECT_EQ(node.first, at);
        EXPECT_EQ(node.first % node.width, 0);
        at += node.width;
      }
      EXPECT_EQ(at, end);
    }
  EXPECT_EQ(whole_nodes(0, 8, 8).size(), 1U);
  EXPECT_EQ(whole_nodes(4, 6, 6), (std::vector<TreeNode>{{4, 4}})) << "nothing follows the last leaf";
}

TEST(PartBounds, DivideContiguouslyWithPartsThatDifferByOneAtMost) {
  EXPECT_EQ(part_bounds(8, 3), (std::vector<std::int64_t>{0, 2, 5, 8}));
  EXPECT_EQ(part_bounds(2, 4), (std::vector<std::int64_t>{0, 0, 1, 1, 2}));
}

}  // namespace
}  // namespace facemae
