#include "checkpoint/history/discover.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <sstream>

#include "checkpoint/format/commit_record.h"
#include "checkpoint/format/patient_read.h"
#include "core/error.h"

namespace facemae {

std::string folder_name(CheckpointId id) {
  char text[48];
  std::snprintf(text, sizeof text, "s%09llu.a%02u", static_cast<unsigned long long>(id.step), id.start);
  return text;
}

std::optional<CheckpointId> parse_folder_name(const std::string& name) {
  CheckpointId id;
  const char* end = name.data() + name.size();
  if (name.empty() || name[0] != 's') return {};
  const auto step = std::from_chars(name.data() + 1, end, id.step);
  if (step.ec != std::errc() || end - step.ptr < 3 || step.ptr[0] != '.' || step.ptr[1] != 'a') return {};
  const auto start = std::from_chars(step.ptr + 2, end, id.start);
  if (start.ec != std::errc() || start.ptr != end || folder_name(id) != name) return {};
  return id;
}

std::vector<CheckpointFolder> list_checkpoints(const Path& checkpoints) {
  std::vector<CheckpointFolder> found;
  std::error_code error;
  std::filesystem::directory_iterator entries(checkpoints, error);
  if (error == std::errc::no_such_file_or_directory) return found;
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error)) {
    const auto id = parse_folder_name(entries->path().filename().string());
    if (!id) continue;
    // A COMMIT that cannot be examined is not a missing one: such a folder would be removed.
    std::error_code unseen;
    const bool committed = std::filesystem::exists(entries->path() / "COMMIT", unseen);
    if (unseen)
      throw FileError("looking for COMMIT in " + entries->path().string() + ": " + unseen.message(),
                      unseen.value());
    if (entries->is_directory(unseen)) found.push_back({*id, entries->path(), committed});
  }
  if (error) throw FileError("listing " + checkpoints.string() + ": " + error.message(), error.value());
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.id > b.id; });
  return found;
}

bool has_history(const Path& checkpoints, const std::vector<CheckpointFolder>& folders,
                 const std::function<bool(CheckpointId)>& counts) {
  std::string text;  // a history that cannot be read is not a missing one
  if (std::filesystem::exists(checkpoints / "HISTORY")) text = read_plain_file(checkpoints / "HISTORY");
  std::istringstream history(text);
  for (std::string line; std::getline(history, line);) {
    const auto id = parse_folder_name(line.substr(0, line.find(' ')));
    if (!counts || !id || counts(*id)) return true;
  }
  return std::any_of(folders.begin(), folders.end(),
                     [&](const auto& folder) { return folder.committed && (!counts || counts(folder.id)); });
}

std::string valid_manifest_bytes(const Path& folder) {
  const auto read = [&](const char* name) {
    std::string bytes;
    patiently([&] { bytes = read_plain_file(folder / name); });
    return bytes;
  };
  const CommitRecord commit = parse_commit(read("COMMIT"));
  if (parse_folder_name(folder.filename().string()) != commit.id)
    throw CheckpointError("COMMIT belongs to " + folder_name(commit.id));
  std::string bytes = read("MANIFEST.pb");
  if (bytes.size() != commit.manifest_bytes || xxh128(bytes_of(bytes)) != commit.manifest_hash)
    throw CheckpointError("MANIFEST.pb is not the one that COMMIT names");
  const Manifest manifest = parse_manifest(bytes);
  if (manifest.id != commit.id) throw CheckpointError("MANIFEST.pb belongs to " + folder_name(manifest.id));
  for (const auto& file : manifest.files) {
    std::uint64_t size = 0;
    patiently([&] {
      std::error_code error;
      size = std::filesystem::file_size(folder / file.name, error);
      if (error) throw FileError(file.name + ": " + error.message(), error.value());
    });
    if (size != file.bytes)
      throw CheckpointError(file.name + " has " + std::to_string(size) + " bytes, not " +
                            std::to_string(file.bytes));
  }
  return bytes;
}

}  // namespace facemae
