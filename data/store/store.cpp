#include "data/store/store.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <numeric>
#include <optional>
#include <utility>

#include "core/error.h"
#include "core/host.h"
#include "core/log.h"
#include "core/parallel.h"
#include "core/progress.h"
#include "data/store/manifest_chain.h"
#include "data/store/manifest_store.h"
#include "data/store/shard_file.h"
#include "data/store/shard_images.h"
#include "data/store/view_store.h"

namespace facemae {
namespace {

/// Larger blocks of images are not read in one piece.
constexpr std::uint64_t kMostBlockBytes = 256 << 20;
/// Up to this many times the bytes that are wanted are read for the sake of fewer reads; when they still are more
/// than one in so many rows, rows are read as they are needed.
constexpr std::uint64_t kMostSpread = 4, kFewestRowsPerRead = 4;

/// Threads that check shards: the storage has to be kept busy, too.
constexpr int kFewestCheckers = 4, kMostCheckers = 16;
/// What takes no longer needs no progress.
constexpr auto kQuiet = std::chrono::seconds(2);

/// Where an image lies in the blob of a shard.
struct Place {
  std::size_t shard;
  std::uint64_t begin, end;
};

/// Places [first, last), in one shard, to be read in one piece.
struct Stretch {
  std::size_t first, last;
  std::uint64_t bytes, wanted;  ///< from its first byte to its last; of these, of the places
};

/// Divides places into stretches. Empty when that saves too few reads, or the places are not in ascending order.
std::vector<Stretch> stretches_of(const std::vector<Place>& places) {
  std::vector<Stretch> stretches;
  std::uint64_t all = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto& [shard, begin, end] = places[i];
    all += end - begin;
    if (i > 0 && (shard < places[i - 1].shard || (shard == places[i - 1].shard && begin < places[i - 1].end)))
      return {};
    if (!stretches.empty() && places[stretches.back().first].shard == shard) {
      Stretch& latest = stretches.back();
      const std::uint64_t bytes = end - places[latest.first].begin, wanted = latest.wanted + end - begin;
      if (bytes <= kMostSpread * wanted && bytes <= kMostBlockBytes) {
        latest = {latest.first, i + 1, bytes, wanted};
        continue;
      }
    }
    stretches.push_back({i, i + 1, end - begin, end - begin});
  }
  const bool saves = stretches.size() <= 1 || stretches.size() * kFewestRowsPerRead <= places.size();
  return saves && all <= kMostBlockBytes ? stretches : std::vector<Stretch>();
}

/// A store with its own shards. The files are opened as HDF5 once; reads are positioned reads of the blobs.
class ShardStore final : public ManifestStore {
 public:
  ShardStore(Path folder, StoreManifest manifest, InputFiles& files, const ReadPolicy& policy,
             SealCheck check)
      : ManifestStore(std::move(folder), std::move(manifest)), shards_(manifest_.shards.size()) {
    report_missing(policy);
    allow_open_files(manifest_.shards.size() * 2 + 256);  // a replica of each, and whatever else is open
    std::optional<Progress> progress;
    const auto start = std::chrono::steady_clock::now();
    std::size_t seen = 0;
    const auto see = [&](std::size_t done) {
      if (!progress && std::chrono::steady_clock::now() - start > kQuiet)
        progress.emplace("checking " + folder_.string(), shards_.size(), "shards", launched_rank() == 0);
      if (progress) progress->advance(done - std::exchange(seen, done));
    };
    in_parallel(
        shards_.size(), std::clamp(available_cores(), kFewestCheckers, kMostCheckers),
        [&](std::size_t i) { open_shard(i, files, policy, check); }, see);
    if (progress) progress->finish();
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

  bool read_rows(std::vector<std::uint64_t> rows, RowBlock& block, ReadFigures& figures) const override {
    const auto places = places_of(rows);
    const auto stretches = stretches_of(places);
    if (stretches.empty()) return false;
    block.offsets = {0};
    block.bytes.clear();
    for (const Place& place : places) block.offsets.push_back(block.offsets.back() + place.end - place.begin);
    block.bytes.reserve(block.offsets.back());
    std::vector<std::byte> span;
    for (const Stretch& stretch : stretches) {
      const Shard& shard = shard_at(places[stretch.first].shard);
      const std::uint64_t begin = places[stretch.first].begin, before = block.bytes.size();
      if (stretch.wanted == stretch.bytes) {
        block.bytes.resize(before + stretch.bytes);
        shard.reader->read(shard.blob_offset + begin, std::span(block.bytes).subspan(before), figures);
        continue;
      }
      span.resize(stretch.bytes);
      shard.reader->read(shard.blob_offset + begin, span, figures);
      for (std::size_t i = stretch.first; i < stretch.last; ++i) {
        const Bytes image = Bytes(span).subspan(places[i].begin - begin, places[i].end - places[i].begin);
        block.bytes.insert(block.bytes.end(), image.begin(), image.end());
      }
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
    std::uint64_t blob_offset = 0;
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

  void open_shard(std::size_t i, InputFiles& files, const ReadPolicy& policy, SealCheck check) {
    if (!policy.may_be_lost(i)) return open_whole_shard(i, files, policy, check);
    try {
      open_whole_shard(i, files, policy, check);
    } catch (const Error& error) {
      spdlog::warn("continuing without shard {}: {}", i, error.what());
    }
  }

  void open_whole_shard(std::size_t i, InputFiles& files, const ReadPolicy& policy, SealCheck check) {
    const ShardInfo& expected = manifest_.shards[i];
    const Path path = folder_ / expected.file;
    ShardIndex index = read_shard(path, check);
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
    shards_[i] = {std::make_unique<ShardReader>(i, path, files, policy), index.info.blob_offset,
                  std::move(index.offsets), std::move(index.crcs), std::move(index.labels)};
  }

  std::vector<Place> places_of(const std::vector<std::uint64_t>& rows) const {
    std::vector<Place> places;
    places.reserve(rows.size());
    for (const std::uint64_t row : rows) {
      const auto [shard, index] = locate(row);
      shard_at(shard);  // before its index is looked at
      const auto [begin, end] = range(shard, index, index + 1);
      places.push_back({shard, begin, end});
    }
    return places;
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

}  // namespace

std::shared_ptr<const Store> Store::open(const Path& folder, InputFiles& files, const ReadPolicy& policy,
                                         SealCheck check) {
  auto chain = manifest_chain(folder);
  const auto open_last = [&]() -> std::shared_ptr<const Store> {
    auto& [root, manifest] = chain.back();
    return std::make_shared<ShardStore>(std::move(root), std::move(manifest), files, policy, check);
  };
  if (chain.size() == 1) return open_last();
  std::shared_ptr<const Store> store;
  try {
    store = open_last();
  } catch (const DataError& error) {
    throw DataError("opening the view " + folder.string() + " of another store: " + error.what());
  }
  for (chain.pop_back(); !chain.empty(); chain.pop_back())
    store = std::make_shared<ViewStore>(std::move(chain.back()), std::move(store), check);
  return store;
}

bool Store::read_block(std::uint64_t first, std::uint64_t count, RowBlock& block,
                       ReadFigures& figures) const {
  std::vector<std::uint64_t> rows(count);
  std::iota(rows.begin(), rows.end(), first);
  block.first = first;
  return read_rows(std::move(rows), block, figures);
}
// NOLINTNEXTLINE(performance-unnecessary-value-param): those who override it move from it
bool Store::read_rows(std::vector<std::uint64_t>, RowBlock&, ReadFigures&) const { return false; }
bool Store::intact(std::uint64_t, Bytes) const { return true; }
std::size_t Store::shard_of(std::uint64_t) const { return 0; }
Path Store::shard_folder() const { return folder(); }
void Store::add_replica(std::size_t shard, const Path& file) const {
  throw ConfigError(fmt::format("adding {} as a copy of shard {}: {} has no shard files", file.string(),
                                shard, folder().string()));
}

}  // namespace facemae
