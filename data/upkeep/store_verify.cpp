#include "data/upkeep/store_verify.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/files/page_cache.h"
#include "core/files/patience.h"
#include "core/log.h"
#include "data/hdf5/seal.h"
#include "data/store/manifest_arrays.h"
#include "data/store/manifest_chain.h"
#include "data/store/people_key.h"
#include "data/store/shard_file.h"
#include "data/store/shard_images.h"

namespace facemae {
namespace {

/// Is this a file beside the shards? A pipe or a device in its place would be waited for.
bool is_plain_file(const Path& path) {
  std::error_code unseen;
  return std::filesystem::is_regular_file(path, unseen);
}

void verify_companions(const Path& folder, const StoreManifest& manifest, VerifyReport& report) {
  for (const auto& expected : manifest.companions) {
    const auto bad = [&](const std::string& reason) {
      report.files.push_back({folder, expected.file, reason});
    };
    if (!is_plain_file(folder / expected.file)) {
      bad("is missing");
      continue;
    }
    try {
      const InputFile file(folder / expected.file);
      file.forget(0, file.size());
      if (file.size() != expected.bytes) {
        bad(fmt::format("has {} bytes, but the manifest says {}", file.size(), expected.bytes));
      } else if (const Hash128 found = digest_of_file(file); found != expected.digest) {
        bad("has the digest " + found.hex() + ", but the manifest says " + expected.digest.hex());
      }
    } catch (const FileError& error) {
      bad(error.what());
    }
  }
}

/// Waits for failing storage, but only once: a disk may have many bad places.
class PatientFile final : public ReadableFile {
 public:
  explicit PatientFile(std::unique_ptr<ReadableFile> file) : file_(std::move(file)) {}
  void read_at(std::uint64_t offset, std::span<std::byte> out) const override {
    try {
      patiently(policy_, "verifying", [&] { file_->read_at(offset, out); });
    } catch (const FileError&) {
      policy_.give_up_after = {};
      throw;
    }
  }
  void forget(std::uint64_t offset, std::uint64_t bytes) const override { file_->forget(offset, bytes); }

 private:
  std::unique_ptr<ReadableFile> file_;
  mutable ReadPolicy policy_;
};

void find_strays(const Path& folder, const StoreManifest& manifest, VerifyReport& report) {
  std::set<std::string> known{kManifestName, kPeopleKeyName, "lock"};  // the lock is held during a repair
  for (const auto& shard : manifest.shards) known.insert(shard.file);
  for (const auto& companion : manifest.companions) known.insert(companion.file);
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.is_regular_file() && !known.contains(entry.path().filename().string()))
      report.strays.push_back(entry.path());
}

/// The chain as far as it can be followed; what prevents going further is reported.
std::vector<ChainLink> chain_of(const Path& folder, VerifyReport& report) {
  std::vector<ChainLink> chain;
  try {
    chain.push_back({folder, read_manifest(folder)});
  } catch (const Error& error) {
    if (!std::filesystem::exists(folder / kManifestName)) throw;
    report.files.push_back({folder, kManifestName, error.what()});
    return chain;
  }
  try {
    while (follow(chain)) {
      const auto& view = chain[chain.size() - 2];
      const auto& [parent, manifest] = chain.back();
      if (view.manifest.parent_digest != manifest.dataset_digest)
        report.files.push_back({view.folder, kManifestName,
                                "refers to a parent with digest " + view.manifest.parent_digest.hex() +
                                    ", but " + parent.string() + " has " + manifest.dataset_digest.hex()});
    }
  } catch (const Error& error) {
    const Path parent = parent_folder(chain.back());
    std::error_code unseen;
    const bool missing = !std::filesystem::exists(parent / kManifestName, unseen);
    report.files.push_back(
        {parent, kManifestName,
         missing ? "is missing: the parent of the view " + chain.back().folder.string() + " is not there"
                 : error.what()});
  }
  return chain;
}

bool names(const VerifyReport& report, const Path& folder, const std::string& file) {
  return std::any_of(report.files.begin(), report.files.end(),
                     [&](const BadFile& bad) { return bad.folder == folder && bad.file == file; });
}

/// Checks what opening the views would refuse, and that their rows and labels match their digest.
void verify_views(std::vector<ChainLink>& chain, VerifyReport& report) {
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    const Path& folder = chain[i].folder;
    StoreManifest& manifest = chain[i].manifest;
    if (names(report, folder, kViewName)) continue;
    try {
      read_view(folder, manifest);
      if (digest_of_view(manifest) != manifest.dataset_digest)
        report.files.push_back(
            {folder, kViewName, "has rows or labels that do not match the manifest's digest"});
      const std::uint64_t rows = chain[i + 1].manifest.images;
      const bool outside = std::any_of(manifest.rows.begin(), manifest.rows.end(),
                                       [&](std::uint64_t row) { return row >= rows; });
      const bool unknown =
          std::any_of(manifest.labels.begin(), manifest.labels.end(),
                      [&](std::int64_t label) { return label < -1 || label >= manifest.identities; });
      if (outside)
        report.files.push_back({folder, kViewName, "has rows that its parent store does not have"});
      if (unknown) report.files.push_back({folder, kViewName, "has labels that belong to no identity"});
    } catch (const Error& error) {
      report.files.push_back({folder, kViewName, error.what()});
    }
  }
}

}  // namespace

void verify_shard(const Path& folder, const ShardInfo& info, Progress& progress, VerifyReport& report,
                  InputFiles& inputs) {
  const auto bad_file = [&](const std::string& reason) {
    report.files.push_back({folder, info.file, reason});
  };
  const auto give_up = [&](const std::string& reason) {
    bad_file(reason);
    progress.advance(info.images);
  };
  const Path path = folder / info.file;
  if (!std::filesystem::exists(path)) return give_up("is missing");
  ShardIndex index;
  std::unique_ptr<ReadableFile> file;
  try {
    if (is_plain_file(path)) InputFile(path).forget(0, std::filesystem::file_size(path));
    index = patiently({}, "verifying", [&] { return read_shard(path); });
    file = std::make_unique<PatientFile>(inputs.open(path));
  } catch (const Error& error) {
    return give_up(error.what());
  }
  if (index.info.images != info.images || index.info.index_digest != info.index_digest ||
      index.info.blob_digest != info.blob_digest || index.info.blob_offset != info.blob_offset)
    return give_up("is not the shard that the manifest describes (its digests differ)");
  const std::size_t bad_before = report.images.size();
  const auto see = [&](std::uint64_t i, const std::string& fault) {
    if (!fault.empty())
      report.images.push_back(
          {.shard = info.file, .row = info.first_global + i, .index = i, .reason = fault});
    progress.advance();
  };
  const Hash128 blob = reread_images(index, *file, true, see);
  // Named images explain a wrong digest; without one the manifest and the shard disagree.
  if (report.images.size() == bad_before && blob != info.blob_digest)
    bad_file("every CRC fits, but the digest of the images differs from the manifest's");
}

VerifyReport verify_store(const Path& folder, int part, int parts, bool show_progress, InputFiles& inputs) {
  if (parts < 1 || part < 0 || part >= parts)
    throw ConfigError(fmt::format("verifying {}: part {} of {} is impossible", folder.string(), part, parts));
  VerifyReport report;
  auto chain = chain_of(folder, report);
  if (part != 0) report = {};
  for (const auto& link : chain) {
    if (part != 0) break;
    verify_companions(link.folder, link.manifest, report);
    find_strays(link.folder, link.manifest, report);
  }
  if (part == 0) verify_views(chain, report);
  if (chain.empty()) return report;
  say_if_cache_stays(folder);
  const auto& [shard_folder, manifest] = chain.back();
  std::vector<ShardInfo> mine;
  std::uint64_t images = 0;
  for (std::size_t i = 0; i < manifest.shards.size(); ++i)
    if (static_cast<int>(i % static_cast<std::size_t>(parts)) == part) {
      mine.push_back(manifest.shards[i]);
      images += mine.back().images;
    }
  Progress progress("verifying", images, "images", show_progress);
  for (const auto& shard : mine) verify_shard(shard_folder, shard, progress, report, inputs);
  progress.finish();
  return report;
}

}  // namespace facemae
