#include "checkpoint/save.h"

#include <ATen/Version.h>
#include <torch/version.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "checkpoint/commit_record.h"
#include "checkpoint/discover.h"
#include "checkpoint/layout.h"
#include "checkpoint/safetensors.h"
#include "core/error.h"
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
    const torch::Tensor& value = snapshot.replicated[index].value;
    const bool whole = range.bytes == tensor_bytes(tensor);
    own.push_back({&tensor, range, value, 0,
                   whole ? tensor.name : fmt::format("{}#bytes={}-{}", tensor.name, range.begin, range.end()),
                   whole ? placeholder(value.scalar_type(), value.sizes().vec())
                         : placeholder(torch::kUInt8, {static_cast<std::int64_t>(range.bytes)})});
  }
  for (std::size_t i = 0; i < shape.by_class.size(); ++i) {
    const ClassTensor& rows = snapshot.by_class[i];
    const ByteRange range = own_bytes(rows);
    const bool whole = rows.rows.size(0) == rows.total;
    if (range.bytes == 0 && !(whole && rank == 0)) continue;
    own.push_back({&shape.by_class[i], range, rows.rows, range.begin,
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

RankReport write_rank_file(FileSystem& files, const Path& folder, const Snapshot& snapshot,
                           const StateShape& shape, int rank, int world) {
  const auto own = own_pieces(snapshot, shape, rank, world);
  RankReport report;
  if (own.empty()) return report;
  NamedTensors laid_out;
  for (const auto& piece : own) laid_out.emplace_back(piece.name, piece.placeholder);
  const std::string header = safetensors_header(laid_out, {{"format", "facemae-checkpoint-1"},
                                                           {"step", std::to_string(snapshot.step)},
                                                           {"rank", std::to_string(rank)}});
  report.file = {.name = fmt::format("r{:05}.safetensors", rank),
                 .bytes = header.size(),
                 .header_bytes = header.size(),
                 .header_hash = xxh128(bytes_of(header))};
  const Path path = folder / report.file.name;
  auto out = files.create(path);
  out->write(bytes_of(header));
  for (const auto& piece : own) {
    ManifestPiece written{.file = 0, .offset = report.file.bytes, .range = piece.range, .leaves = {}};
    const torch::Tensor plain =
        bytes_on_cpu(piece.value, {piece.range.begin - piece.begin, piece.range.bytes});
    for (const ByteRange& leaf :
         leaves_within(leaves_of(*piece.tensor, snapshot.virtual_shards), piece.range)) {
      const Bytes memory = bytes_of(plain).subspan(leaf.begin - piece.range.begin, leaf.bytes);
      written.leaves.push_back(xxh128(memory));
      out->write(memory);
    }
    report.file.bytes += piece.range.bytes;
    report.tensors.push_back(
        {.name = piece.tensor->name, .dtype = {}, .shape = {}, .by_class = false, .pieces = {written}});
  }
  out->sync();
  out->close();
  if (const auto size = std::filesystem::file_size(path); size != report.file.bytes)
    throw FileError(
        fmt::format("{} has {} bytes after {} were written", path.string(), size, report.file.bytes), EIO);
  return report;
}

Manifest merge_reports(const Snapshot& snapshot, const StateShape& shape, CheckpointId id,
                       std::optional<CheckpointId> parent, const std::vector<std::string>& reports) {
  Manifest manifest{.id = id,
                    .samples = snapshot.samples,
                    .world = static_cast<int>(reports.size()),
                    .threads = torch::get_num_threads(),
                    .cpu = at::get_cpu_capability(),
                    .virtual_shards = snapshot.virtual_shards,
                    .tensors = {},
                    .files = {},
                    .root = {},
                    .run_state = snapshot.run_state,
                    .config = snapshot.config,
                    .dataset_digest = snapshot.dataset_digest,
                    .model_hash = snapshot.model_hash,
                    .software = {{"libtorch", TORCH_VERSION}, {"compiler", __VERSION__}},
                    .parent = parent};
  std::map<std::string, ManifestTensor> tensors;
  for (const auto* kind : {&shape.replicated, &shape.by_class})
    for (const auto& tensor : *kind) tensors[tensor.name] = tensor;
  for (const auto& bytes : reports) {
    RankReport report = parse_report(bytes);
    if (report.file.name.empty()) continue;
    for (auto& tensor : report.tensors)
      for (auto& piece : tensor.pieces) {
        piece.file = static_cast<std::uint32_t>(manifest.files.size());
        tensors.at(tensor.name).pieces.push_back(std::move(piece));
      }
    manifest.files.push_back(std::move(report.file));
  }
  for (auto& [name, tensor] : tensors) {
    std::sort(tensor.pieces.begin(), tensor.pieces.end(),
              [](const auto& a, const auto& b) { return a.range.begin < b.range.begin; });
    manifest.tensors.push_back(std::move(tensor));
  }
  manifest.root = root_hash(manifest.tensors, manifest.virtual_shards);
  return manifest;
}

void commit(FileSystem& files, const Path& checkpoints, const Manifest& manifest) {
  const Path folder = checkpoints / folder_name(manifest.id);
  const std::string bytes = serialise(manifest);
  if (parse_manifest(bytes) != manifest)  // what a reader would refuse is never committed
    throw CheckpointError("the manifest does not survive being written and read");
  auto out = files.create(folder / "MANIFEST.pb");
  out->write(bytes_of(bytes));
  out->sync();
  out->close();
  // A first save leaves no line: killed before its COMMIT, the run has no history and starts at 0.
  if (has_history(checkpoints, list_checkpoints(checkpoints)))
    append_line_durably(files, checkpoints / "HISTORY",
                        fmt::format("{} step {} samples {} root {}", folder_name(manifest.id),
                                    manifest.id.step, manifest.samples, manifest.root.hex()));
  files.sync_folder(folder);
  files.sync_folder(checkpoints);
  const CommitRecord record{
      .id = manifest.id, .manifest_bytes = bytes.size(), .manifest_hash = xxh128(bytes_of(bytes))};
  write_durably(files, folder / "COMMIT", serialise(record));
}

}  // namespace facemae
