#include "data/store_verify.h"

#include <set>

#include "core/error.h"
#include "core/log.h"
#include "data/manifest.h"
#include "data/patience.h"
#include "data/people_key.h"
#include "data/seal.h"
#include "data/shard_file.h"

namespace facemae {
namespace {

void verify_companions(const Path& folder, const StoreManifest& manifest, VerifyReport& report) {
  for (const auto& expected : manifest.companions) {
    const auto bad = [&](const std::string& reason) {
      report.files.push_back({folder, expected.file, reason});
    };
    if (!std::filesystem::exists(folder / expected.file)) {
      bad("is missing");
      continue;
    }
    try {
      const InputFile file(folder / expected.file);
      if (file.size() != expected.bytes) {
        bad(fmt::format("has {} bytes, the manifest says {}", file.size(), expected.bytes));
      } else if (const Hash128 found = digest_of_file(file); found != expected.digest) {
        bad("has the digest " + found.hex() + ", the manifest says " + expected.digest.hex());
      }
    } catch (const FileError& error) {
      bad(error.what());
    }
  }
}

void find_strays(const Path& folder, const StoreManifest& manifest, VerifyReport& report) {
  std::set<std::string> known{kManifestName, kPeopleKeyName, "lock"};  // held while it is repaired
  for (const auto& shard : manifest.shards) known.insert(shard.file);
  for (const auto& companion : manifest.companions) known.insert(companion.file);
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.is_regular_file() && !known.contains(entry.path().filename().string()))
      report.strays.push_back(entry.path());
}

/// The manifests of a store and, of a view, of its parents: the store with the shards comes last.
struct Link {
  Path folder;
  StoreManifest manifest;
};
std::vector<Link> chain_of(Path folder, VerifyReport& report) {
  std::vector<Link> chain;
  for (;;) {
    if (!std::filesystem::exists(folder / kManifestName)) {
      if (chain.empty()) read_manifest(folder);  // says what there is instead
      report.files.push_back(
          {folder, kManifestName,
           "is missing: the parent of the view " + chain.back().folder.string() + " is not there"});
      return chain;
    }
    try {
      chain.push_back({folder, read_manifest(folder)});
    } catch (const Error& error) {
      report.files.push_back({folder, kManifestName, error.what()});
      return chain;
    }
    const auto& manifest = chain.back().manifest;
    if (chain.size() > 1) {
      const auto& view = chain[chain.size() - 2];
      if (view.manifest.parent_digest != manifest.dataset_digest)
        report.files.push_back({view.folder, kManifestName,
                                "means a parent with digest " + view.manifest.parent_digest.hex() + ", but " +
                                    folder.string() + " has " + manifest.dataset_digest.hex()});
    }
    if (manifest.kind == StoreManifest::Kind::Store) return chain;
    folder = (folder / manifest.parent).lexically_normal();
  }
}

}  // namespace

void verify_shard(const Path& folder, const ShardInfo& info, Progress& progress, VerifyReport& report) {
  const auto bad_file = [&](const std::string& reason) {
    report.files.push_back({folder, info.file, reason});
  };
  const auto give_up = [&](const std::string& reason) {
    bad_file(reason);
    progress.advance(info.images);
  };
  const Path path = folder / info.file;
  ReadPolicy patience;
  if (!std::filesystem::exists(path)) return give_up("is missing");
  ShardIndex index;
  try {
    index = patiently(patience, "verifying", [&] { return read_shard(path); });
  } catch (const Error& error) {
    return give_up(error.what());
  }
  if (index.info.images != info.images || index.info.index_digest != info.index_digest ||
      index.info.blob_digest != info.blob_digest || index.info.blob_offset != info.blob_offset)
    return give_up("is another shard than the manifest means (its digests differ)");
  const InputFile file(path);
  const std::size_t bad_before = report.images.size();
  Hasher blob;
  std::vector<std::byte> image;
  for (std::uint64_t i = 0; i < info.images; ++i) {
    const auto bad = [&](const std::string& reason) {
      report.images.push_back(
          {.shard = info.file, .row = info.first_global + i, .index = i, .reason = reason});
    };
    image.resize(index.offsets[i + 1] - index.offsets[i]);
    try {
      patiently(patience, "verifying",
                [&] { file.read_at(index.info.blob_offset + index.offsets[i], image); });
      if (const std::uint32_t found = crc32c(image); found != index.crcs[i])
        bad(fmt::format("CRC-32C is {:08x}, the index says {:08x}", found, index.crcs[i]));
    } catch (const FileError& error) {
      bad(error.what());
      patience.give_up_after = {};  // waited for once: a disk may have many bad places
    }
    blob.add(image);
    progress.advance();
  }
  // Named images explain a different digest; without one the manifest and the shard disagree.
  if (report.images.size() == bad_before && blob.digest() != info.blob_digest)
    bad_file("every CRC fits, but the digest of the images differs from the manifest's");
}

VerifyReport verify_store(const Path& folder, int part, int parts, bool show_progress) {
  if (parts < 1 || part < 0 || part >= parts)
    throw ConfigError(fmt::format("verifying {}: part {} of {} is impossible", folder.string(), part, parts));
  VerifyReport report;
  const auto chain = chain_of(folder, report);
  if (part != 0) report = {};
  for (const auto& link : chain) {
    if (part != 0) break;
    verify_companions(link.folder, link.manifest, report);
    find_strays(link.folder, link.manifest, report);
  }
  if (chain.empty()) return report;
  const auto& [shard_folder, manifest] = chain.back();
  std::vector<ShardInfo> mine;
  std::uint64_t images = 0;
  for (std::size_t i = 0; i < manifest.shards.size(); ++i)
    if (static_cast<int>(i % static_cast<std::size_t>(parts)) == part) {
      mine.push_back(manifest.shards[i]);
      images += mine.back().images;
    }
  Progress progress("verifying", images, "images", show_progress);
  for (const auto& shard : mine) verify_shard(shard_folder, shard, progress, report);
  progress.finish();
  return report;
}

}  // namespace facemae
