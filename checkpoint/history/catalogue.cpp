#include "checkpoint/history/catalogue.h"

#include <sys/stat.h>

#include "checkpoint/format/finite.h"
#include "checkpoint/format/layout.h"
#include "checkpoint/format/reader.h"
#include "checkpoint/history/fences.h"
#include "checkpoint/history/retention.h"
#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

std::int64_t time_of(const Path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::int64_t>(info.st_mtime) : 0;
}

std::vector<Hash128> leaves_in_order(const ManifestTensor& tensor) {
  std::vector<Hash128> leaves;
  for (const auto& piece : tensor.pieces)
    leaves.insert(leaves.end(), piece.leaves.begin(), piece.leaves.end());
  return leaves;
}

std::string kind_of(const ManifestTensor& tensor) {
  return fmt::format("{} [{}]{}", tensor.dtype, fmt::join(tensor.shape, ", "),
                     tensor.by_class ? " by class" : "");
}

}  // namespace

std::uint64_t CheckpointFacts::bytes() const {
  std::uint64_t sum = 0;
  if (manifest)
    for (const auto& file : manifest->files) sum += file.bytes;
  return sum;
}

std::vector<CheckpointFacts> catalogue(const Path& run) {
  const Path checkpoints = run / "checkpoints";
  const auto folders = list_checkpoints(checkpoints);
  const Lineage lineage = read_lineage(checkpoints, folders);
  std::vector<CheckpointFacts> all;
  for (const auto& folder : folders) {
    CheckpointFacts facts{.folder = folder, .state = "unfinished", .reason = {}, .manifest = {}};
    if (folder.committed) {
      facts.time = time_of(folder.path / "COMMIT");
      facts.verified = is_verified(folder.path);
      try {
        facts.manifest = parse_manifest(valid_manifest_bytes(folder.path));
        facts.state = lineage.counts(folder.id) ? "valid" : "left";
      } catch (const UnreadableCheckpoint& error) {
        facts.state = "unreadable";
        facts.reason = error.what();
      } catch (const CheckpointError& error) {
        facts.state = "damaged";
        facts.reason = error.what();
      }
    }
    all.push_back(std::move(facts));
  }
  return all;
}

void expect_run(const Path& run) {
  std::error_code unseen;
  if (!std::filesystem::is_directory(run, unseen)) throw ConfigError("there is no run " + run.string());
  // From the first moment of a start, one of these exists.
  for (const char* name : {"checkpoints", "lock", "outcome.json"})
    if (std::filesystem::exists(run / name, unseen)) return;
  throw ConfigError(run.string() +
                    " is not a run: it has no checkpoints, and no start has left a trace in it");
}

bool had_checkpoints(const Path& run) {
  const Path checkpoints = run / "checkpoints";
  const auto folders = list_checkpoints(checkpoints);
  const Lineage lineage = read_lineage(checkpoints, folders);
  return has_history(checkpoints, folders, [&](CheckpointId id) { return lineage.counts(id); });
}

void refuse_without_checkpoint(const Path& run, const std::string& reasons) {
  if (!reasons.empty()) throw Unresumable("the run " + run.string() + " has no valid checkpoint:" + reasons);
  if (had_checkpoints(run))
    throw Unresumable("the run " + run.string() +
                      " has no valid checkpoint: its HISTORY names some, but no COMMIT is left");
  throw ConfigError("the run " + run.string() + " has no checkpoint yet");
}

Path checkpoint_of(const Path& given) {
  Path path = given.lexically_normal();
  if (!path.has_filename() && path.has_parent_path()) path = path.parent_path();  // "RUN/"
  if (parse_folder_name(path.filename().string()) && std::filesystem::is_directory(path)) return path;
  if (!std::filesystem::is_directory(path / "checkpoints"))
    throw ConfigError(given.string() +
                      " is neither a run nor a checkpoint of one (RUN/checkpoints/sNNN.aNN)");
  std::string reasons;
  for (const auto& facts : catalogue(path)) {
    if (facts.state == "valid") return facts.folder.path;
    if (facts.state == "unreadable")
      throw UnreadableCheckpoint(facts.folder.path.string() + " cannot be read now: " + facts.reason);
    if (facts.state == "damaged")
      reasons += "\n  " + facts.folder.path.filename().string() + ": " + facts.reason;
  }
  refuse_without_checkpoint(path, reasons);
}

std::vector<std::string> verify_checkpoint(const Path& folder,
                                           const std::function<void(std::uint64_t)>& read) {
  std::vector<std::string> faults;
  const auto check = [&](const auto& work) {
    try {
      work();
    } catch (const UnreadableCheckpoint&) {
      throw;  // that is not damage
    } catch (const CheckpointError& error) {
      faults.emplace_back(error.what());
    }
  };
  Manifest manifest;
  check([&] { manifest = parse_manifest(valid_manifest_bytes(folder)); });
  if (!faults.empty()) return faults;
  CheckpointReader reader(folder, manifest);
  for (std::uint32_t file = 0; file < manifest.files.size(); ++file) {
    check([&] { reader.check_header(file); });
    read(manifest.files[file].header_bytes);
  }
  std::vector<std::byte> buffer;
  for (const auto& tensor : manifest.tensors) {
    bool finite = true;
    for (const ByteRange& leaf : leaves_of(tensor, manifest.virtual_shards)) {
      buffer.resize(leaf.bytes);
      check([&] {
        reader.read(tensor, leaf, buffer);
        if (finite && !(finite = all_finite(buffer, tensor.dtype)))
          throw CheckpointError("tensor " + tensor.name +
                                " holds values that are not finite: the run had diverged");
      });
      read(leaf.bytes);
    }
  }
  return faults;
}

std::vector<std::string> differences_between(const Manifest& a, const Manifest& b) {
  std::vector<std::string> lines;
  if (a.root == b.root) return lines;
  if (a.virtual_shards != b.virtual_shards)
    lines.push_back(fmt::format("virtual shards of classes: {} and {}", a.virtual_shards, b.virtual_shards));
  for (const auto& tensor : a.tensors) {
    const ManifestTensor* other = b.find(tensor.name);
    if (other == nullptr)
      lines.push_back(tensor.name + ": only in the first");
    else if (kind_of(tensor) != kind_of(*other))
      lines.push_back(fmt::format("{}: {} and {}", tensor.name, kind_of(tensor), kind_of(*other)));
    else if (leaves_in_order(tensor) != leaves_in_order(*other))
      lines.push_back(tensor.name + ": other values");
  }
  for (const auto& tensor : b.tensors)
    if (a.find(tensor.name) == nullptr) lines.push_back(tensor.name + ": only in the second");
  return lines;
}

}  // namespace facemae
