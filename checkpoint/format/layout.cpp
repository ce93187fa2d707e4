#include "checkpoint/format/layout.h"

#include <algorithm>

#include "core/error.h"

namespace facemae {

std::uint64_t element_bytes(const std::string& dtype) {
  if (dtype == "BOOL" || dtype == "U8" || dtype == "I8") return 1;
  if (dtype == "F16" || dtype == "BF16" || dtype == "I16") return 2;
  if (dtype == "F32" || dtype == "I32") return 4;
  if (dtype == "F64" || dtype == "I64") return 8;
  return 0;
}

std::uint64_t tensor_bytes(const ManifestTensor& tensor) {
  std::uint64_t bytes = element_bytes(tensor.dtype);
  if (bytes == 0) throw CheckpointError("tensor " + tensor.name + " has the unknown type " + tensor.dtype);
  for (const std::int64_t n : tensor.shape)
    if (n < 0 || __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(n), &bytes) || bytes > (1ULL << 62))
      throw CheckpointError("tensor " + tensor.name + " has an impossible shape");
  return bytes;
}

RowRange rows_of_shard(std::int64_t classes, std::int64_t shards, std::int64_t shard) {
  const auto first = [&](std::int64_t v) {
    return static_cast<std::int64_t>(static_cast<__int128>(v) * classes / shards);
  };
  return {first(shard), first(shard + 1) - first(shard)};
}

RowRange rows_of_rank(std::int64_t classes, std::int64_t shards, int rank, int world) {
  const std::int64_t begin = rank * shards / world, end = (rank + 1) * shards / world;
  const std::int64_t first = rows_of_shard(classes, shards, begin).first;
  return {first, rows_of_shard(classes, shards, end).first - first};
}

std::vector<ByteRange> leaves_of(const ManifestTensor& tensor, std::int64_t virtual_shards) {
  std::vector<ByteRange> leaves;
  const auto cut = [&](std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t at = begin; at < end; at += kLeafBytes)
      leaves.push_back({at, std::min(kLeafBytes, end - at)});
  };
  const std::uint64_t bytes = tensor_bytes(tensor);
  if (!tensor.by_class) {
    cut(0, bytes);
    return leaves;
  }
  if (tensor.shape.empty() || virtual_shards < 1)
    throw CheckpointError("class tensor " + tensor.name + " has no rows or no virtual shards");
  if (bytes == 0) return leaves;
  const std::int64_t classes = tensor.shape[0];
  const std::uint64_t row = bytes / static_cast<std::uint64_t>(classes);
  const std::int64_t shards = std::min(virtual_shards, classes);  // with more, each row has one of its own
  for (std::int64_t v = 0; v < shards; ++v) {
    const RowRange rows = rows_of_shard(classes, shards, v);
    cut(static_cast<std::uint64_t>(rows.first) * row,
        static_cast<std::uint64_t>(rows.first + rows.count) * row);
  }
  return leaves;
}

namespace {

/// The smallest level that holds `total` more bytes if every rank below it is filled up to it.
std::uint64_t water_level(const std::vector<std::uint64_t>& loads, std::uint64_t total) {
  std::uint64_t low = 0, high = *std::max_element(loads.begin(), loads.end()) + total;
  while (low < high) {
    const std::uint64_t level = low + (high - low) / 2;
    std::uint64_t room = 0;
    for (const std::uint64_t load : loads) room += level > load ? level - load : 0;
    if (room >= total)
      high = level;
    else
      low = level + 1;
  }
  return low;
}

}  // namespace

std::vector<std::vector<PlannedPiece>> share_out(const std::vector<ManifestTensor>& replicated,
                                                 const std::vector<std::uint64_t>& class_bytes_of_rank) {
  std::uint64_t total = 0;
  for (const auto& tensor : replicated) total += tensor_bytes(tensor);
  const std::uint64_t level = water_level(class_bytes_of_rank, total);
  std::vector<std::vector<PlannedPiece>> pieces(class_bytes_of_rank.size());
  std::size_t rank = 0;
  std::uint64_t at = 0, rank_end = level > class_bytes_of_rank[0] ? level - class_bytes_of_rank[0] : 0;
  for (std::size_t i = 0; i < replicated.size(); ++i) {
    auto leaves = leaves_of(replicated[i], 0);
    if (leaves.empty()) leaves.push_back({0, 0});  // an empty tensor still has its name somewhere
    for (const ByteRange& leaf : leaves) {
      // A leaf goes where its middle lies, so that no rank is off by more than one leaf.
      while (rank + 1 < pieces.size() && at + leaf.bytes / 2 >= rank_end) {
        ++rank;
        rank_end += level > class_bytes_of_rank[rank] ? level - class_bytes_of_rank[rank] : 0;
      }
      auto& mine = pieces[rank];
      if (!mine.empty() && mine.back().tensor == i)
        mine.back().range.bytes += leaf.bytes;
      else
        mine.push_back({i, leaf});
      at += leaf.bytes;
    }
  }
  return pieces;
}

Hash128 root_hash(const std::vector<ManifestTensor>& tensors, std::int64_t virtual_shards) {
  std::vector<const ManifestTensor*> sorted;
  sorted.reserve(tensors.size());
  for (const auto& tensor : tensors) sorted.push_back(&tensor);
  std::sort(sorted.begin(), sorted.end(), [](auto* a, auto* b) { return a->name < b->name; });
  const auto add_hash = [](Hasher& hasher, const Hash128& hash) {
    hasher.add_value(hash.high);
    hasher.add_value(hash.low);
  };
  Hasher root;
  for (const ManifestTensor* tensor : sorted) {
    Hasher node;
    node.add(bytes_of(tensor->name));
    node.add_value('\0');
    node.add(bytes_of(tensor->dtype));
    node.add_value('\0');
    node.add_value(tensor->by_class ? virtual_shards : std::int64_t{0});
    node.add_value(static_cast<std::uint64_t>(tensor->shape.size()));
    for (const std::int64_t n : tensor->shape) node.add_value(n);
    for (const auto& piece : tensor->pieces)
      for (const auto& leaf : piece.leaves) add_hash(node, leaf);
    add_hash(root, node.digest());
  }
  return root.digest();
}

}  // namespace facemae
