#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/fields.h"
#include "core/log.h"
#include "core/progress.h"
#include "data/store/manifest.h"
#include "data/store/manifest_arrays.h"
#include "data/store/manifest_chain.h"
#include "data/store/shard_file.h"
#include "data/upkeep/finished_shard.h"
#include "data/upkeep/store_tools.h"

namespace facemae {
namespace {

/// An image of the view, by its row in the store that has the shards.
struct Kept {
  std::uint64_t root_row, view_row;
};

/// In the order of the shards of the last store in the chain.
std::vector<Kept> kept_images(std::vector<ChainLink>& chain) {
  std::vector<Kept> kept;
  for (auto& [folder, manifest] : chain) {
    if (manifest.kind == StoreManifest::Kind::Store) break;
    read_view(folder, manifest);
    if (&manifest == &chain.front().manifest)
      for (std::uint64_t row = 0; row < manifest.images; ++row) kept.push_back({row, row});
    for (auto& image : kept) {
      if (image.root_row >= manifest.images)
        throw DataError("compacting " + chain.front().folder.string() + ": " + folder.string() +
                        " has changed meanwhile");
      image.root_row = manifest.rows[image.root_row];
    }
  }
  std::sort(kept.begin(), kept.end(), [](auto& a, auto& b) { return a.root_row < b.root_row; });
  return kept;
}

/// The stretches of `kept` that lie in the same shard.
std::vector<std::span<const Kept>> by_shard(const std::vector<Kept>& kept,
                                            const std::vector<ShardInfo>& shards) {
  std::vector<std::span<const Kept>> groups;
  auto begin = kept.begin();
  for (const auto& shard : shards) {
    const auto end =
        std::lower_bound(begin, kept.end(), shard.first_global + shard.images,
                         [](const Kept& image, std::uint64_t row) { return image.root_row < row; });
    groups.emplace_back(begin, end);
    begin = end;
  }
  return groups;
}

constexpr const char* kSkipBad =
    "; --skip-bad leaves out what cannot be read, `facemae store verify` names all of it";

/// Reads images of one shard. One that cannot be read is refused, or said to be one to leave out.
class ShardImages {
 public:
  ShardImages(const Store& view, const Path& file, const ShardInfo& shard, bool skip_bad)
      : view_(view), file_(file), first_(shard.first_global), skip_bad_(skip_bad), index_(read_shard(file)) {}
  const ShardIndex& index() const { return index_; }
  std::uint64_t place(const Kept& image) const { return image.root_row - first_; }

  /// "" and the bytes, or the reason as in rejects.csv. The storage gets its patience once; after that, images are
  /// tried one by one, because some sectors may be readable. Throws DataError or FileError unless bad ones are skipped.
  std::string read(const Kept& image, std::vector<std::byte>& bytes) {
    try {
      if (!storage_fails_) {
        view_.read(image.view_row, bytes);
        return "";
      }
    } catch (const DataError& error) {
      if (!skip_bad_) throw DataError(std::string("compacting: ") + error.what() + kSkipBad);
      return std::string("cannot be read: ") + error.what();
    } catch (const ShardUnreadable& error) {
      if (!skip_bad_) throw FileError(std::string("compacting: ") + error.what() + kSkipBad, error.code());
      storage_fails_ = true;
    }
    const std::uint64_t at = place(image), begin = index_.offsets[at];
    bytes.resize(index_.offsets[at + 1] - begin);
    try {
      InputFile(file_).read_at(index_.info.blob_offset + begin, bytes);
    } catch (const FileError& error) {
      return std::string("cannot be read: ") + error.what();
    }
    return view_.intact(image.view_row, bytes) ? "" : "cannot be read: its CRC-32C is wrong";
  }

 private:
  const Store& view_;
  const Path file_;
  const std::uint64_t first_;
  const bool skip_bad_;
  const ShardIndex index_;
  bool storage_fails_ = false;
};

/// A store that is being made of a view.
class Compaction {
 public:
  Compaction(FileSystem& files, const Path& folder, const Path& out, const CompactConfig& config)
      : files_(files), out_(out), config_(config), chain_(manifest_chain(folder)) {
    const StoreManifest& view = chain_.front().manifest;
    if (view.kind != StoreManifest::Kind::View)
      throw ConfigError("compacting " + folder.string() +
                        ": it is not a view, so it holds only its own images");
    store_ = Store::open(folder);
    const StoreManifest& root = chain_.back().manifest;
    manifest_.uuid = xxh128(bytes_of(root.uuid + view.dataset_digest.hex())).hex();
    manifest_.image_size = view.image_size;
    manifest_.identities = view.identities;
    manifest_.released = view.released;
    manifest_.source_licence = view.source_licence;
    manifest_.ingest_seed = root.ingest_seed;
    if (!root.pack_settings.empty())
      manifest_.pack_settings = nlohmann::json{{"compacted_from", view.dataset_digest.hex()}}.dump();
    for (std::int64_t k = 0; k < view.identities; ++k)
      if (auto name = store_->identity_name(k); !name.empty())
        manifest_.identity_names.push_back(std::move(name));
  }

  /// Throws ConfigError when another store is in the folder.
  bool is_done() const {
    if (!std::filesystem::exists(out_ / kManifestName)) return false;
    if (read_manifest(out_).uuid == manifest_.uuid) return true;
    throw ConfigError("compacting into " + out_.string() +
                      ": another store is there; remove it or choose another --out");
  }

  std::uint64_t run() {
    const auto kept = kept_images(chain_);
    const auto groups = by_shard(kept, chain_.back().manifest.shards);
    shards_ = static_cast<std::uint64_t>(
        std::count_if(groups.begin(), groups.end(), [](const auto& group) { return !group.empty(); }));
    make_folders(files_, out_);
    Progress progress("compacting", kept.size(), "images", config_.show_progress);
    for (std::size_t s = 0; s < groups.size(); ++s) {
      if (groups[s].empty()) continue;
      add_shard(s, groups[s]);
      progress.advance(groups[s].size());
    }
    progress.finish();
    if (labels_.empty() && !kept.empty())
      throw DataError("compacting " + chain_.front().folder.string() + ": none of its images can be read");
    files_.remove(out_ / "rejects.csv");  // of a start that met images which can be read by now
    if (rejects_ > 0) write_durably(files_, out_ / "rejects.csv", "source,reason\n" + reject_lines_);
    if (!manifest_.pack_settings.empty()) manifest_.rejects = rejects_;
    complete_manifest(manifest_, labels_);
    write_manifest(files_, out_, manifest_);
    return rejects_;
  }

 private:
  void add_shard(std::size_t s, std::span<const Kept> group) {
    ShardContent content;
    content.uuid = manifest_.uuid;
    content.shard = manifest_.shards.size();
    content.shards = shards_;
    content.image_size = manifest_.image_size;
    content.ingest_seed = manifest_.ingest_seed;
    for (const auto& image : group) content.labels.push_back(store_->label(image.view_row));
    const Path path = out_ / shard_name(content.shard);
    std::vector<std::vector<std::byte>> images;
    if (is_finished_shard(path, content)) {
      manifest_.shards.push_back(read_shard(path).info);
    } else {
      read_images(s, group, content, images);
      content.images = images;
      manifest_.shards.push_back(write_shard(files_, out_, content));
    }
    labels_.insert(labels_.end(), content.labels.begin(), content.labels.end());
  }

  void read_images(std::size_t s, std::span<const Kept> group, ShardContent& content,
                   std::vector<std::vector<std::byte>>& images) {
    const auto& [root_folder, root] = chain_.back();
    ShardImages shard(*store_, root_folder / root.shards[s].file, root.shards[s], config_.skip_bad);
    content.labels.clear();
    std::vector<std::byte> bytes;
    for (const Kept& image : group) {
      const std::int64_t label = store_->label(image.view_row);
      if (const std::string fault = shard.read(image, bytes); !fault.empty()) {
        const std::string source =
            fmt::format("row {} of {} ({})", image.view_row, chain_.front().folder.string(),
                        manifest_.identity_names.empty() || label < 0 ? fmt::format("label {}", label)
                                                                      : store_->identity_name(label));
        reject_lines_ += csv_field(source) + "," + csv_field(fault) + "\n";
        ++rejects_;
        continue;
      }
      images.push_back(bytes);
      content.labels.push_back(label);
      if (!root.ingest_seed) continue;
      content.source_keys.push_back(shard.index().source_keys[shard.place(image)]);
      content.flags.push_back(shard.index().flags[shard.place(image)]);
    }
  }

  FileSystem& files_;
  const Path out_;
  const CompactConfig config_;
  std::vector<ChainLink> chain_;
  std::shared_ptr<const Store> store_;
  StoreManifest manifest_;
  std::uint64_t shards_ = 0, rejects_ = 0;
  std::vector<std::int64_t> labels_;
  std::string reject_lines_;
};

}  // namespace

std::uint64_t compact_store(FileSystem& files, const Path& folder, const Path& out,
                            const CompactConfig& config) {
  Compaction compaction(files, folder, out, config);
  return compaction.is_done() ? read_manifest(out).rejects : compaction.run();
}

}  // namespace facemae
