#include "cluster/host/fixed_tree.h"

#include <algorithm>
#include <bit>

namespace facemae {

TreeNode tree_root(std::int64_t leaves) {
  return {0, static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(leaves)))};
}

std::vector<TreeNode> whole_nodes(std::int64_t first, std::int64_t end, std::int64_t leaves) {
  const std::int64_t last = tree_root(leaves).width;
  if (end == leaves) end = last;  // what follows the last leaf is empty: it belongs to whoever holds that one
  std::vector<TreeNode> nodes;
  while (first < std::min(end, leaves)) {
    std::int64_t width = first == 0 ? last : first & -first;
    while (first + width > end) width /= 2;
    nodes.push_back({first, width});
    first += width;
  }
  return nodes;
}

std::vector<std::int64_t> part_bounds(std::int64_t count, int parts) {
  std::vector<std::int64_t> bounds;
  for (std::int64_t r = 0; r <= parts; ++r) bounds.push_back(r * count / parts);
  return bounds;
}

}  // namespace facemae
