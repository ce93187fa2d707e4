#include "checkpoint/history/commit.h"

#include <algorithm>
#include <cerrno>
#include <map>

#include "checkpoint/format/commit_record.h"
#include "checkpoint/format/layout.h"
#include "checkpoint/history/discover.h"
#include "core/error.h"
#include "core/failpoint.h"
#include "core/files/shared_view.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {

Manifest merge_reports(Manifest manifest, const StateShape& shape, const std::vector<std::string>& reports) {
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

void note_in_history(FileSystem& files, const Path& checkpoints, CheckpointId id, std::uint64_t samples,
                     const Hash128& root) {
  append_line_durably(
      files, checkpoints / "HISTORY",
      fmt::format("{} step {} samples {} root {}", folder_name(id), id.step, samples, root.hex()));
}

void require_seen(const Path& checkpoints, const Manifest& manifest, std::chrono::milliseconds patience) {
  const Path folder = checkpoints / folder_name(manifest.id);
  std::vector<ExpectedFile> expected;
  for (const auto& file : manifest.files) expected.push_back({file.name, file.bytes});
  constexpr std::size_t kNamed = 8;
  auto unseen = unseen_after(folder, expected, patience);
  if (unseen.empty()) return;
  const std::size_t count = unseen.size();
  unseen.resize(std::min(count, kNamed));
  throw FileError(
      fmt::format("{} does not hold what its ranks have written ({} of {} files, as rank 0 sees it): {}. "
                  "Is the run on storage that all nodes share?",
                  folder.string(), count, expected.size(), join(unseen, "; ")),
      EIO);
}

void commit(FileSystem& files, const Path& checkpoints, const Manifest& manifest) {
  const Path folder = checkpoints / folder_name(manifest.id);
  const std::string bytes = serialise(manifest);
  if (parse_manifest(bytes) != manifest)  // what a reader would refuse is never committed
    throw CheckpointError("the manifest changes when it is written and read back");
  auto out = files.create(folder / "MANIFEST.pb");
  out->write(bytes_of(bytes));
  out->sync();
  out->close();
  failpoint("save.manifest.synced");
  // A first save leaves no line: if it is killed before its COMMIT, the run has no history and starts at 0.
  if (has_history(checkpoints, list_checkpoints(checkpoints)))
    note_in_history(files, checkpoints, manifest.id, manifest.samples, manifest.root);
  failpoint("save.history.synced");
  files.sync_folder(folder);
  files.sync_folder(checkpoints);
  failpoint("save.folders.synced");
  const CommitRecord record{
      .id = manifest.id, .manifest_bytes = bytes.size(), .manifest_hash = xxh128(bytes_of(bytes))};
  write_durably(files, folder / "COMMIT", serialise(record));
  failpoint("save.committed");
}

}  // namespace facemae
