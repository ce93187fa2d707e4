#pragma once
// A binary tree over numbered leaves whose shape depends on their number alone. Ranks hold contiguous ranges
// of leaves; each combines what lies whole in its range, and only those nodes travel. Free of LibTorch.
#include <cstdint>
#include <vector>

namespace facemae {

/// Leaves [first, first + width), as far as they exist; width is a power of two that divides first.
struct TreeNode {
  std::int64_t first = 0, width = 1;
  bool operator==(const TreeNode&) const = default;
};

/// The node of all `leaves` (1 or more).
TreeNode tree_root(std::int64_t leaves);

/// The largest nodes that lie within [first, end), in order; there are at most 2 log2(leaves) of them.
std::vector<TreeNode> whole_nodes(std::int64_t first, std::int64_t end, std::int64_t leaves);

/// Where the contiguous parts of `count` things begin for each of `parts` owners, and `count`: owner r has
/// [r count / parts, (r + 1) count / parts).
std::vector<std::int64_t> part_bounds(std::int64_t count, int parts);

/// The value of a node: `known(node)` is an optional value, given for leaves at the latest; others are
/// `combine(left, right)`. Depth first and left to right, so that few values exist at a time.
template <class Known, class Combine>
auto fold(TreeNode node, std::int64_t leaves, const Known& known, const Combine& combine) {
  if (auto value = known(node)) return *value;
  const std::int64_t half = node.width / 2;
  const TreeNode right{node.first + half, half};
  auto value = fold<Known, Combine>({node.first, half}, leaves, known, combine);
  if (right.first >= leaves) return value;
  return combine(value, fold<Known, Combine>(right, leaves, known, combine));
}

}  // namespace facemae
