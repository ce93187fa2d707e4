#include "checkpoint/tensors/staging.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstring>

#include "checkpoint/tensors/safetensors.h"
#include "core/log.h"

namespace facemae {
namespace {

/// One tensor of this rank's file: bytes `range` of `tensor`, taken from `value`, which starts at byte
/// `begin` of it.
struct OwnPiece {
  const ManifestTensor* tensor;
  ByteRange range;
  torch::Tensor value;
  std::uint64_t begin;
  bool steady;
  std::string name;
  torch::Tensor placeholder;  ///< type and shape for the header, without memory
};

torch::Tensor placeholder(torch::ScalarType type, const std::vector<std::int64_t>& shape) {
  return torch::empty(shape, torch::TensorOptions().dtype(type).device(torch::kMeta));
}

std::vector<OwnPiece> own_pieces(const Snapshot& snapshot, const StateShape& shape, int rank, int world) {
  std::vector<std::uint64_t> class_bytes(static_cast<std::size_t>(world));
  for (const auto& tensor : shape.by_class) {
    const std::uint64_t bytes = tensor_bytes(tensor);
    for (int r = 0; r < world && bytes > 0; ++r)
      class_bytes[static_cast<std::size_t>(r)] +=
          static_cast<std::uint64_t>(rows_of_rank(tensor.shape[0], snapshot.virtual_shards, r, world).count) *
          (bytes / static_cast<std::uint64_t>(tensor.shape[0]));
  }
  std::vector<OwnPiece> own;
  const auto shares = share_out(shape.replicated, class_bytes);
  for (const auto& [index, range] : shares[static_cast<std::size_t>(rank)]) {
    const ManifestTensor& tensor = shape.replicated[index];
    const auto& [tensor_name, value, steady] = snapshot.replicated[index];
    const bool whole = range.bytes == tensor_bytes(tensor);
    own.push_back({&tensor, range, value, 0, steady,
                   whole ? tensor.name : fmt::format("{}#bytes={}-{}", tensor.name, range.begin, range.end()),
                   whole ? placeholder(value.scalar_type(), value.sizes().vec())
                         : placeholder(torch::kUInt8, {static_cast<std::int64_t>(range.bytes)})});
  }
  for (std::size_t i = 0; i < shape.by_class.size(); ++i) {
    const ClassTensor& rows = snapshot.by_class[i];
    const ByteRange range = own_bytes(rows);
    const bool whole = rows.rows.size(0) == rows.total;
    if (range.bytes == 0 && !(whole && rank == 0)) continue;
    own.push_back({&shape.by_class[i], range, rows.rows, range.begin, rows.steady,
                   whole
                       ? rows.name
                       : fmt::format("{}#rows={}-{}", rows.name, rows.first, rows.first + rows.rows.size(0)),
                   placeholder(rows.rows.scalar_type(), rows.rows.sizes().vec())});
  }
  std::stable_sort(own.begin(), own.end(), [](const OwnPiece& a, const OwnPiece& b) {
    return a.placeholder.element_size() > b.placeholder.element_size();  // keeps every tensor aligned
  });
  return own;
}

}  // namespace

Staging::Staging(std::shared_ptr<SideStream> side) : side_(std::move(side)) {
  if (side_) fetch_.emplace(side_);
}

void Staging::lay_out(const Snapshot& snapshot, const StateShape& shape, int rank, int world) {
  file_ = {.name = fmt::format("r{:05}.safetensors", rank), .header = {}, .data = {}, .pieces = {}};
  sources_.clear();
  const auto own = own_pieces(snapshot, shape, rank, world);
  NamedTensors laid_out;
  std::uint64_t bytes = 0;
  for (const auto& piece : own) {
    laid_out.emplace_back(piece.name, piece.placeholder);
    file_.pieces.push_back(
        {.tensor = piece.tensor->name,
         .dtype = piece.tensor->dtype,
         .range = piece.range,
         .leaves = leaves_within(leaves_of(*piece.tensor, snapshot.virtual_shards), piece.range),
         .at = bytes});
    sources_.push_back(
        {piece.value, {piece.range.begin - piece.begin, piece.range.bytes}, bytes, piece.steady});
    bytes += piece.range.bytes;
  }
  file_.header = safetensors_header(laid_out, {{"format", "facemae-checkpoint-1"},
                                               {"step", std::to_string(snapshot.step)},
                                               {"rank", std::to_string(rank)}});
  if (!buffer_.defined() || buffer_.nbytes() < bytes)
    buffer_ = torch::empty({static_cast<std::int64_t>(bytes)}, torch::kUInt8);
  file_.data = bytes_of(buffer_).first(bytes);
  if (fetch_) fetch();
  for (const auto& source : sources_)
    if (!source.steady) copy(source);
}

/// What lies on the device is a source no more.
void Staging::fetch() {
  std::vector<FetchPiece> changing, steady;
  std::erase_if(sources_, [&](const Source& source) {
    if (source.value.device() != side_->device()) return false;
    (source.steady ? steady : changing).push_back({source.value, source.range, source.at});
    return true;
  });
  fetch_->begin(changing, steady);
}

void Staging::copy_steady() {
  for (const auto& source : sources_)
    if (source.steady) copy(source);
  sources_.clear();  // nothing of the training state is held longer than needed
}

void Staging::hold_device() const {
  if (fetch_) fetch_->computing_waits();
}

void Staging::collect() {
  if (fetch_) fetch_->collect(static_cast<std::byte*>(buffer_.mutable_data_ptr()));
}

void Staging::copy(const Source& source) {
  if (source.range.bytes == 0) return;
  const torch::NoGradGuard no_grad;
  const torch::Tensor bytes = bytes_on_cpu(source.value, source.range);
  // One thread's memcpy: a parallel copy would take cores away from the running step.
  std::memcpy(static_cast<std::byte*>(buffer_.mutable_data_ptr()) + source.at, bytes.const_data_ptr(),
              source.range.bytes);
}

}  // namespace facemae
