#include "checkpoint/tensors/restore.h"

#include <algorithm>
#include <map>

#include "checkpoint/format/layout.h"
#include "checkpoint/format/reader.h"
#include "checkpoint/tensors/safetensors.h"
#include "cluster/tensors/shapes.h"
#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

/// Reads bytes `range` of a tensor of the manifest into `value`, which holds exactly those.
void read_in_place(CheckpointReader& reader, const ManifestTensor& tensor, ByteRange range,
                   const torch::Tensor& value) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor target = value.detach();
  const bool direct = target.is_cpu() && target.is_contiguous();
  torch::Tensor staging =
      direct ? target : torch::empty(target.sizes(), torch::TensorOptions().dtype(target.scalar_type()));
  if (range.bytes > 0)
    reader.read(tensor, range, {static_cast<std::byte*>(staging.mutable_data_ptr()), staging.nbytes()});
  if (!direct) target.copy_(staging);
}

std::vector<Hash128> expected_leaves(const ManifestTensor& tensor, const std::vector<ByteRange>& leaves,
                                     ByteRange range) {
  std::vector<Hash128> expected;
  std::size_t leaf = 0;
  for (const auto& piece : tensor.pieces)
    for (const auto& hash : piece.leaves) {
      const ByteRange& at = leaves.at(leaf++);
      if (at.begin >= range.begin && at.end() <= range.end() && at.bytes > 0) expected.push_back(hash);
    }
  return expected;
}

ManifestPiece check_piece(const Manifest& manifest, const ManifestTensor& tensor, ByteRange range,
                          const torch::Tensor& value) {
  const auto leaves = leaves_of(tensor, manifest.virtual_shards);
  ManifestPiece piece{.file = 0, .offset = 0, .range = range, .leaves = {}};
  piece.leaves = hash_memory(value, range.begin, leaves_within(leaves, range));
  if (piece.leaves != expected_leaves(tensor, leaves, range))
    throw CheckpointError(
        "tensor " + tensor.name +
        " changed between reading and checking it in memory: suspect this host's memory, its device or the network");
  return piece;
}

/// The tensor's bytes, uint8 [n], sharing memory: for contiguous tensors.
torch::Tensor byte_view(const torch::Tensor& value) { return value.detach().view({-1}).view(torch::kUInt8); }

/// Can slices of it travel between the ranks? They need a byte view, and a communicator carries one
/// device's tensors: on GPUs not those that live in host memory, such as the identities trained on. Every
/// rank reads those whole.
bool travels(const torch::Tensor& value, const Communicator& ranks) {
  return value.is_contiguous() && is_on(value, ranks.device());
}

/// Decides which rank reads which slices of the tensors that travel.
std::vector<std::vector<PlannedPiece>> slices(const Snapshot& into, const StateShape& shape,
                                              const Communicator& ranks) {
  auto plan = share_out(shape.replicated, std::vector<std::uint64_t>(static_cast<std::size_t>(ranks.size())));
  for (auto& rank : plan)
    std::erase_if(rank, [&](const PlannedPiece& piece) {
      return piece.range.bytes == 0 || !travels(into.replicated[piece.tensor].value, ranks);
    });
  return plan;
}

torch::Tensor slice_of(const Snapshot& into, const PlannedPiece& piece) {
  return byte_view(into.replicated[piece.tensor].value)
      .narrow(0, static_cast<std::int64_t>(piece.range.begin), static_cast<std::int64_t>(piece.range.bytes));
}

}  // namespace

std::vector<std::string> differences(const Manifest& manifest, const StateShape& shape,
                                     std::int64_t virtual_shards, bool classes_may_differ) {
  std::vector<std::string> faults;
  std::size_t found = 0;
  std::map<std::string, const ManifestTensor*> wanted;
  for (const auto* kind : {&shape.replicated, &shape.by_class})
    for (const auto& tensor : *kind) wanted[tensor.name] = &tensor;
  const auto say = [](const ManifestTensor& tensor) {
    return fmt::format("{} [{}]{}", tensor.dtype, fmt::join(tensor.shape, ", "),
                       tensor.by_class ? " by class" : "");
  };
  for (const auto& [name, tensor] : wanted) {
    const ManifestTensor* saved = manifest.find(name);
    if (saved == nullptr) {
      faults.push_back(name + " is not in the checkpoint");
      continue;
    }
    ++found;
    auto shape_here = tensor->shape;
    if (classes_may_differ && tensor->by_class && !shape_here.empty() && !saved->shape.empty())
      shape_here[0] = saved->shape[0];
    if (saved->dtype != tensor->dtype || saved->shape != shape_here || saved->by_class != tensor->by_class)
      faults.push_back(
          fmt::format("{} is {} in the checkpoint, but {} here", name, say(*saved), say(*tensor)));
  }
  if (found != manifest.tensors.size())
    for (const auto& tensor : manifest.tensors)
      if (!wanted.contains(tensor.name))
        faults.push_back(tensor.name + " is in the checkpoint, but not here");
  if (!classes_may_differ && !shape.by_class.empty() && virtual_shards != manifest.virtual_shards)
    faults.push_back(fmt::format("the checkpoint has {} virtual shards of classes, but {} are requested",
                                 manifest.virtual_shards, virtual_shards));
  return faults;
}

torch::Tensor read_tensor(const Path& folder, const Manifest& manifest, const ManifestTensor& tensor) {
  CheckpointReader reader(folder, manifest);
  torch::Tensor value = torch::empty(tensor.shape, torch::TensorOptions().dtype(torch_type(tensor.dtype)));
  read_in_place(reader, tensor, {0, value.nbytes()}, value);
  return value;
}

Snapshot plain_tensors_for(const Snapshot& live) {
  Snapshot plain = live;
  for (auto& tensor : plain.replicated)
    if (!tensor.value.is_contiguous())
      tensor.value = torch::empty_like(tensor.value.detach(), torch::MemoryFormat::Contiguous);
  return plain;
}

void take_over(const Snapshot& plain, Snapshot& live) {
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < live.replicated.size(); ++i)
    if (!live.replicated[i].value.is_contiguous())
      live.replicated[i].value.detach().copy_(plain.replicated[i].value);
}

void read_own(const Path& folder, const Manifest& manifest, Snapshot& into, const StateShape& shape, int rank,
              int world, const Communicator* slicing, const ClassMap* map) {
  CheckpointReader reader(folder, manifest);
  for (std::size_t file = static_cast<std::size_t>(rank); file < manifest.files.size();
       file += static_cast<std::size_t>(world))
    reader.check_header(static_cast<std::uint32_t>(file));
  if (slicing != nullptr) {
    const auto plan = slices(into, shape, *slicing);
    for (const auto& piece : plan[static_cast<std::size_t>(rank)])
      read_in_place(reader, *manifest.find(shape.replicated[piece.tensor].name), piece.range,
                    slice_of(into, piece));
  }
  for (std::size_t i = 0; i < shape.replicated.size(); ++i) {
    if (slicing != nullptr && travels(into.replicated[i].value, *slicing)) continue;
    const ManifestTensor& tensor = *manifest.find(shape.replicated[i].name);
    read_in_place(reader, tensor, {0, tensor_bytes(tensor)}, into.replicated[i].value);
  }
  for (std::size_t i = 0; i < shape.by_class.size(); ++i) {
    const ManifestTensor& tensor = *manifest.find(shape.by_class[i].name);
    const ClassTensor& own = into.by_class[i];
    if (map == nullptr) {
      read_in_place(reader, tensor, own_bytes(own), own.rows);
      continue;
    }
    torch::Tensor rows = own.rows.detach().cpu().contiguous().clone();
    read_mapped_rows(reader, manifest, tensor, *map, own.first, rows.size(0),
                     {static_cast<std::byte*>(rows.mutable_data_ptr()), rows.nbytes()});
    const torch::NoGradGuard no_grad;
    own.rows.detach().copy_(rows);
  }
}

void exchange_replicated(Snapshot& into, const StateShape& shape, Communicator& ranks) {
  const auto plan = slices(into, shape, ranks);
  std::vector<Work> works;
  for (int rank = 0; rank < ranks.size(); ++rank)
    for (const auto& piece : plan[static_cast<std::size_t>(rank)])
      works.push_back(ranks.broadcast(slice_of(into, piece), rank));
  for (auto& work : works) work.wait();
  ranks.check();  // otherwise what a lost peer left half done would be taken for a corrupt checkpoint
}

RankReport check_memory(const Manifest& manifest, const Snapshot& into, const StateShape& shape, int rank,
                        bool mapped) {
  RankReport report;
  const auto add = [&](const ManifestTensor& tensor, ManifestPiece piece) {
    report.tensors.push_back(
        {.name = tensor.name, .dtype = {}, .shape = {}, .by_class = false, .pieces = {std::move(piece)}});
  };
  for (std::size_t i = 0; i < shape.replicated.size(); ++i) {
    const ManifestTensor& tensor = *manifest.find(shape.replicated[i].name);
    ManifestPiece piece = check_piece(manifest, tensor, {0, tensor_bytes(tensor)}, into.replicated[i].value);
    if (rank == 0) add(tensor, std::move(piece));
  }
  for (std::size_t i = 0; i < shape.by_class.size() && !mapped; ++i) {
    const ManifestTensor& tensor = *manifest.find(shape.by_class[i].name);
    add(tensor, check_piece(manifest, tensor, own_bytes(into.by_class[i]), into.by_class[i].rows));
  }
  return report;
}

Hash128 root_of_memory(const Manifest& manifest, const std::vector<std::string>& reports) {
  std::map<std::string, ManifestTensor> tensors;
  for (const auto& tensor : manifest.tensors) {
    tensors[tensor.name] = tensor;
    tensors[tensor.name].pieces.clear();
  }
  for (const auto& bytes : reports)
    for (auto& tensor : parse_report(bytes).tensors)
      for (auto& piece : tensor.pieces) tensors.at(tensor.name).pieces.push_back(std::move(piece));
  std::vector<ManifestTensor> found;
  for (auto& [name, tensor] : tensors) {
    // An empty piece may stand anywhere; it has no leaves.
    std::sort(tensor.pieces.begin(), tensor.pieces.end(),
              [](const auto& a, const auto& b) { return a.range.begin < b.range.begin; });
    found.push_back(std::move(tensor));
  }
  return root_hash(found, manifest.virtual_shards);
}

}  // namespace facemae
