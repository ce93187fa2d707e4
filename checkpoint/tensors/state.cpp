#include "checkpoint/tensors/state.h"

#include <algorithm>
#include <set>

#include "checkpoint/format/finite.h"
#include "checkpoint/format/layout.h"
#include "checkpoint/tensors/safetensors.h"
#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

/// '#' separates a tensor's name from its piece in the files.
std::string fault_in_name(const std::string& name) {
  if (name.empty() || name == "__metadata__" || name.find('#') != std::string::npos)
    return "the tensor name \"" + name + "\" is empty, reserved or has a #";
  return "";
}

std::string fault_in_rows(const ClassTensor& tensor, std::int64_t shards, int rank, int world) {
  if (tensor.rows.dim() < 1) return tensor.name + " has no rows";
  if (shards < world) return fmt::format("{} has {} virtual shards for {} ranks", tensor.name, shards, world);
  const RowRange own = rows_of_rank(tensor.total, shards, rank, world);
  if (tensor.rows.size(0) == own.count && (own.count == 0 || tensor.first == own.first)) return "";
  return fmt::format("{} has rows [{}, {}) on rank {} of {}, but its virtual shards are [{}, {})",
                     tensor.name, tensor.first, tensor.first + tensor.rows.size(0), rank, world, own.first,
                     own.first + own.count);
}

}  // namespace

StateShape shape_of(const Snapshot& snapshot, int rank, int world) {
  StateShape shape;
  std::vector<std::string> faults;
  std::set<std::string> names;
  const auto add = [&](std::vector<ManifestTensor>& to, const std::string& name, const torch::Tensor& value) {
    if (const auto fault = fault_in_name(name); !fault.empty()) faults.push_back(fault);
    if (!names.insert(name).second) faults.push_back("the tensor name " + name + " occurs twice");
    if (!value.defined()) {
      faults.push_back(name + " is not defined");
      return false;
    }
    try {
      to.push_back({.name = name,
                    .dtype = safetensors_type(value.scalar_type(), name),
                    .shape = value.sizes().vec(),
                    .by_class = &to == &shape.by_class,
                    .pieces = {}});
    } catch (const ConfigError& error) {
      faults.emplace_back(error.what());
      return false;
    }
    return true;
  };
  for (const auto& tensor : snapshot.replicated) add(shape.replicated, tensor.name, tensor.value);
  for (const auto& tensor : snapshot.by_class) {
    if (!add(shape.by_class, tensor.name, tensor.rows)) continue;
    const auto fault = fault_in_rows(tensor, snapshot.virtual_shards, rank, world);
    if (!fault.empty())
      faults.push_back(fault);
    else
      shape.by_class.back().shape[0] = tensor.total;
  }
  if (!faults.empty()) throw ConfigError("describing what a checkpoint holds: " + join(faults, "; "));
  return shape;
}

std::string fingerprint(const Snapshot& snapshot, const StateShape& shape, std::uint32_t start) {
  std::string text =
      fmt::format("step {} start {} samples {} shards {} model {} data {}\n", snapshot.step, start,
                  snapshot.samples, snapshot.virtual_shards, snapshot.model_hash, snapshot.dataset_digest);
  for (const auto* tensors : {&shape.replicated, &shape.by_class})
    for (const auto& tensor : *tensors)
      text += fmt::format("{} {} [{}] {}\n", tensor.name, tensor.dtype, fmt::join(tensor.shape, ","),
                          tensor.by_class);
  return text;
}

ByteRange own_bytes(const ClassTensor& tensor) {
  const std::uint64_t bytes = tensor.rows.nbytes();
  const auto rows = static_cast<std::uint64_t>(tensor.rows.size(0));
  return {rows == 0 ? 0 : static_cast<std::uint64_t>(tensor.first) * (bytes / rows), bytes};
}

torch::Tensor bytes_on_cpu(const torch::Tensor& value, ByteRange range) {
  if (range.bytes == 0) return torch::empty({0}, torch::kUInt8);
  const torch::Tensor flat = value.detach().contiguous().view({-1}).view(torch::kUInt8);
  return flat.slice(0, static_cast<std::int64_t>(range.begin), static_cast<std::int64_t>(range.end())).cpu();
}

bool all_finite(const torch::Tensor& value) {
  if (!value.is_floating_point()) return true;
  constexpr std::uint64_t kPiece = 64ULL << 20;
  const std::string dtype = safetensors_type(value.scalar_type(), "");
  const torch::Tensor flat = value.detach().contiguous();
  for (std::uint64_t at = 0; at < flat.nbytes(); at += kPiece) {
    const auto piece = bytes_on_cpu(flat, {at, std::min<std::uint64_t>(kPiece, flat.nbytes() - at)});
    if (!all_finite(bytes_of(piece), dtype)) return false;
  }
  return true;
}

std::vector<ByteRange> leaves_within(const std::vector<ByteRange>& leaves, ByteRange range) {
  const auto first =
      std::lower_bound(leaves.begin(), leaves.end(), range.begin,
                       [](const ByteRange& leaf, std::uint64_t at) { return leaf.begin < at; });
  const auto last = std::lower_bound(first, leaves.end(), range.end(),
                                     [](const ByteRange& leaf, std::uint64_t at) { return leaf.begin < at; });
  if (range.bytes == 0) return {};
  if (first == last || first->begin != range.begin || std::prev(last)->end() != range.end())
    throw CheckpointError("the bytes requested of a tensor are not whole leaves");
  return {first, last};
}

std::vector<Hash128> hash_memory(const torch::Tensor& value, std::uint64_t begin,
                                 const std::vector<ByteRange>& leaves) {
  std::vector<Hash128> hashes;
  if (leaves.empty()) return hashes;
  const ByteRange range{leaves.front().begin - begin, leaves.back().end() - leaves.front().begin};
  const torch::Tensor plain = bytes_on_cpu(value, range);
  for (const ByteRange& leaf : leaves)
    hashes.push_back(xxh128(bytes_of(plain).subspan(leaf.begin - leaves.front().begin, leaf.bytes)));
  return hashes;
}

}  // namespace facemae
