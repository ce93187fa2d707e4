#include "data/store/store.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <optional>

#include "core/error.h"
#include "core/host.h"
#include "core/log.h"
#include "data/store/manifest.h"
#include "data/store/manifest_arrays.h"
#include "data/store/manifest_chain.h"
#include "data/store/shard_file.h"
#include "data/store/shard_images.h"

namespace facemae {
namespace {

/// What stores and views have in common: everything that the manifest alone can answer.
class ManifestStore : public Store {
 public:
  ManifestStore(Path folder, StoreManifest manifest)
      : folder_(std::move(folder)), manifest_(std::move(manifest)) {}
  const Path& folder() const noexcept override { return folder_; }
  std::uint64_t size() const noexcept override { return manifest_.images; }
  std::int64_t identities() const noexcept override { return manifest_.identities; }
  std::string identity_name(std::int64_t label) const override { return identities_file().name(label); }
  int image_size() const noexcept override { return manifest_.image_size; }
  const std::vector<ShardInfo>& shards() const noexcept override { return manifest_.shards; }
  Hash128 dataset_digest() const noexcept override { return manifest_.dataset_digest; }
  std::string source_licence() const override { return manifest_.source_licence; }
  bool released() const noexcept override { return manifest_.released; }
  std::span<const std::uint64_t> rows_of(std::int64_t label) const override {
    return identities_file().rows_of(label);
  }

 protected:
  void check_row(std::uint64_t row) const {
    if (row >= manifest_.images)
      throw Error(fmt::format("there is no row {} in the store {}, which has {} images", row,
                              folder_.string(), manifest_.images));
  }
  Path folder_;
  StoreManifest manifest_;

 private:
  /// Read on first use: training needs neither names nor rows.
  const Identities& identities_file() const {
    if (const Identities* read = read_.load(std::memory_order_acquire)) return *read;
    const std::scoped_lock lock(mutex_);
    if (!identities_) identities_ = Identities::read(folder_, manifest_);
    read_.store(&*identities_, std::memory_order_release);
    return *identities_;
  }
  mutable std::mutex mutex_;
  mutable std::optional<Identities> identities_;
  mutable std::atomic<const Identities*> read_ = nullptr;
};

/// Larger blocks of images are not read in one piece.
constexpr std::uint64_t kMostBlockBytes = 256 << 20;

/// A store with its own shards. The files are opened as HDF5 once; reads are positioned reads of the blobs.
class ShardStore final : public ManifestStore {
 public:
  ShardStore(Path folder, StoreManifest manifest, InputFiles& files, const ReadPolicy& policy)
      : ManifestStore(std::move(folder), std::move(manifest)) {
    report_missing(policy);
    allow_open_files(manifest_.shards.size() * 2 + 256);  // a replica of each, and whatever else is open
    shards_.reserve(manifest_.shards.size());
    for (std::size_t i = 0; i < manifest_.shards.size(); ++i) open_shard(i, files, policy);
  }

  std::int64_t label(std::uint64_t row) const override {
    const auto [shard, index] = locate(row);
    const std::int64_t label = shard_at(shard).labels[index];
    if (label < -1 || label >= manifest_.identities) refuse_index(shard, index);
    return label;
  }

  void fetch(std::uint64_t row, std::vector<std::byte>& encoded, ReadFigures& figures) const override {
    const auto [s, index] = locate(row);
    const Shard& shard = shard_at(s);
    const auto [begin, end] = range(s, index, index + 1);
    if (end - begin > kMostImageBytes)
      throw DataError(fmt::format("image {} of shard {} (row {}) has {} bytes, more than an image of a face",
                                  index, s, row, end - begin));
    encoded.resize(end - begin);
    const StoredImage image{.index = index,
                            .row = row,
                            .offset = shard.blob_offset + begin,
                            .bytes = end - begin,
                            .crc32c = shard.crcs[index]};
    shard.reader->read(image, encoded, figures);
  }

  bool read_block(std::uint64_t first, std::uint64_t count, RowBlock& block,
                  ReadFigures& figures) const override {
    block.first = first;
    block.offsets = {0};
    block.bytes.clear();
    while (count > 0) {
      const auto [s, index] = locate(first);
      const Shard& shard = shard_at(s);
      const std::uint64_t here = std::min(count, manifest_.shards[s].images - index);
      const auto [begin, end] = range(s, index, index + here);
      const std::uint64_t before = block.bytes.size();
      if (end - begin > kMostBlockBytes - before) return false;
      for (std::uint64_t i = index; i < index + here; ++i) {
        const std::uint64_t next = range(s, i, i + 1).second;
        if (next < begin || next > end) refuse_index(s, i);
        block.offsets.push_back(before + next - begin);
      }
      block.bytes.resize(before + end - begin);
      shard.reader->read(shard.blob_offset + begin, std::span(block.bytes).subspan(before), figures);
      first += here;
      count -= here;
    }
    return true;
  }

  bool intact(std::uint64_t row, Bytes encoded) const override {
    const auto [s, index] = locate(row);
    return crc32c(encoded) == shard_at(s).crcs[index];
  }
  std::size_t shard_of(std::uint64_t row) const override { return locate(row).first; }
  Path shard_folder() const override { return folder_; }
  void add_replica(std::size_t shard, const Path& file) const override {
    shard_at(shard).reader->add_replica(file);
  }

 private:
  struct Shard {
    std::unique_ptr<ShardReader> reader;
    std::uint64_t blob_offset;
    Array<std::uint64_t> offsets;
    Array<std::uint32_t> crcs;
    Array<std::int64_t> labels;
  };

  /// Throws ShardUnreadable for a shard that the store was opened without.
  const Shard& shard_at(std::size_t shard) const {
    if (shards_[shard].reader) return shards_[shard];
    const Path file = folder_ / manifest_.shards[shard].file;
    throw ShardUnreadable(shard, FileError("the store was opened without " + file.string(), ENOENT));
  }

  /// Where images [first, last) of a shard lie in its blob. The index was checked when the store was opened,
  /// but it lies in a file, and a file can change.
  std::pair<std::uint64_t, std::uint64_t> range(std::size_t shard, std::uint64_t first,
                                                std::uint64_t last) const {
    const std::uint64_t begin = shards_[shard].offsets[first], end = shards_[shard].offsets[last];
    if (begin > end || end > manifest_.shards[shard].bytes) refuse_index(shard, first);
    return {begin, end};
  }
  [[noreturn]] void refuse_index(std::size_t shard, std::uint64_t index) const {
    throw DataError(fmt::format(
        "image {} of shard {} (row {}, {}): its index entry has changed since the store was opened; "
        "the file is damaged or was overwritten: run `facemae store verify`",
        index, shard, manifest_.shards[shard].first_global + index,
        (folder_ / manifest_.shards[shard].file).string()));
  }

  /// Reports all at once, because a list helps to copy files.
  void report_missing(const ReadPolicy& policy) const {
    std::vector<std::string> missing;
    for (const auto& shard : manifest_.shards)
      if (!policy.may_be_lost(static_cast<std::size_t>(&shard - manifest_.shards.data())) &&
          !std::filesystem::exists(folder_ / shard.file))
        missing.push_back(shard.file);
    if (missing.empty()) return;
    throw DataError(
        fmt::format("opening the store {}: {} of {} shards are missing: {}; "
                    "copy them from a replica or pack the store again",
                    folder_.string(), missing.size(), manifest_.shards.size(), fmt::join(missing, ", ")));
  }

  void open_shard(std::size_t i, InputFiles& files, const ReadPolicy& policy) {
    if (!policy.may_be_lost(i)) return open_whole_shard(i, files, policy);
    try {
      open_whole_shard(i, files, policy);
    } catch (const Error& error) {
      spdlog::warn("continuing without shard {}: {}", i, error.what());
      shards_.resize(i);
      shards_.emplace_back();
    }
  }

  void open_whole_shard(std::size_t i, InputFiles& files, const ReadPolicy& policy) {
    const ShardInfo& expected = manifest_.shards[i];
    const Path path = folder_ / expected.file;
    ShardIndex index = read_shard(path);
    if (index.info.index_digest != expected.index_digest || index.info.blob_digest != expected.blob_digest ||
        index.info.images != expected.images || index.info.blob_offset != expected.blob_offset)
      throw DataError(
          "opening the store " + folder_.string() + ": " + expected.file +
          " is not the shard that the manifest describes (its digests differ): was it copied from another store? Copy the right one");
    if (index.image_size != manifest_.image_size)
      throw DataError(fmt::format(
          "opening the store {}: the images of {} have {} pixels per side, but those of the store have {}",
          folder_.string(), expected.file, index.image_size, manifest_.image_size));
    index.offsets.drop_pages();
    index.crcs.drop_pages();
    index.labels.drop_pages();
    shards_.push_back({std::make_unique<ShardReader>(i, path, files, policy), index.info.blob_offset,
                       std::move(index.offsets), std::move(index.crcs), std::move(index.labels)});
  }

  std::pair<std::size_t, std::size_t> locate(std::uint64_t row) const {
    check_row(row);
    const auto& all = manifest_.shards;
    const auto after = std::upper_bound(
        all.begin(), all.end(), row, [](std::uint64_t r, const ShardInfo& s) { return r < s.first_global; });
    const auto shard = static_cast<std::size_t>(after - all.begin()) - 1;
    return {shard, row - all[shard].first_global};
  }

  std::vector<Shard> shards_;
};

/// A selection of another store's rows with labels of its own; holds no images.
class ViewStore final : public ManifestStore {
 public:
  ViewStore(ChainLink link, std::shared_ptr<const Store> parent)
      : ManifestStore(std::move(link.folder), std::move(link.manifest)), parent_(std::move(parent)) {
    read_view(folder_, manifest_);
    if (parent_->dataset_digest() != manifest_.parent_digest)
      throw DataError(
          fmt::format("opening the view {}: its parent store {} has digest {}, expected {}; "
                      "it has been packed again since: run `facemae store split` again",
                      folder_.string(), parent_->folder().string(), parent_->dataset_digest().hex(),
                      manifest_.parent_digest.hex()));
    const bool outside = std::any_of(manifest_.rows.begin(), manifest_.rows.end(),
                                     [&](std::uint64_t row) { return row >= parent_->size(); });
    if (outside || manifest_.image_size != parent_->image_size())
      throw DataError("opening the view " + folder_.string() +
                      ": its images are not those of its parent store");
    manifest_.rows.drop_pages();
  }
  const std::vector<ShardInfo>& shards() const noexcept override { return parent_->shards(); }
  std::int64_t label(std::uint64_t row) const override {
    check_row(row);
    const std::int64_t label = manifest_.labels[row];
    if (label < -1 || label >= manifest_.identities)
      throw DataError(fmt::format(
          "row {} of the view {} has the label {}, but there are {} identities: make the view again", row,
          folder_.string(), label, manifest_.identities));
    return label;
  }
  void fetch(std::uint64_t row, std::vector<std::byte>& encoded, ReadFigures& figures) const override {
    parent_->fetch(parent_row(row), encoded, figures);
  }
  bool intact(std::uint64_t row, Bytes encoded) const override {
    return parent_->intact(parent_row(row), encoded);
  }
  std::size_t shard_of(std::uint64_t row) const override { return parent_->shard_of(parent_row(row)); }
  Path shard_folder() const override { return parent_->shard_folder(); }
  void add_replica(std::size_t shard, const Path& file) const override { parent_->add_replica(shard, file); }

 private:
  std::uint64_t parent_row(std::uint64_t row) const {
    check_row(row);
    return manifest_.rows[row];
  }
  std::shared_ptr<const Store> parent_;
};

}  // namespace

std::shared_ptr<const Store> Store::open(const Path& folder, InputFiles& files, const ReadPolicy& policy) {
  auto chain = manifest_chain(folder);
  const auto open_last = [&]() -> std::shared_ptr<const Store> {
    auto& [root, manifest] = chain.back();
    return std::make_shared<ShardStore>(std::move(root), std::move(manifest), files, policy);
  };
  if (chain.size() == 1) return open_last();
  std::shared_ptr<const Store> store;
  try {
    store = open_last();
  } catch (const DataError& error) {
    throw DataError("opening the view " + folder.string() + " of another store: " + error.what());
  }
  for (chain.pop_back(); !chain.empty(); chain.pop_back())
    store = std::make_shared<ViewStore>(std::move(chain.back()), std::move(store));
  return store;
}

bool Store::read_block(std::uint64_t, std::uint64_t, RowBlock&, ReadFigures&) const { return false; }
bool Store::intact(std::uint64_t, Bytes) const { return true; }
std::size_t Store::shard_of(std::uint64_t) const { return 0; }
Path Store::shard_folder() const { return folder(); }
void Store::add_replica(std::size_t shard, const Path& file) const {
  throw ConfigError(fmt::format("adding {} as a copy of shard {}: {} has no shard files", file.string(),
                                shard, folder().string()));
}

}  // namespace facemae
