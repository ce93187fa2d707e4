#include "data/pack/spill.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

/// Precedes each image in a spill file.
struct Header {
  std::uint64_t position = 0;
  std::uint32_t bytes = 0, crc = 0;
  std::uint64_t flags = 0;
};
static_assert(sizeof(Header) == 24);

/// A piece of a spill file with images of one shard, by position.
struct Row {
  std::uint64_t shard = 0, offset = 0, bytes = 0;
  std::uint32_t images = 0, crc = 0;  // crc: CRC-32C of what is before it
};
static_assert(sizeof(Row) == 32);

constexpr std::size_t kSpillBuffer = 4 << 20;

Path data_path(const Journal& journal, int rank) {
  return journal.folder() / fmt::format("spill-{:05}.data", rank);
}
Path table_path(const Journal& journal, int rank) {
  return journal.folder() / fmt::format("spill-{:05}.extents", rank);
}

template <class T>
Bytes bytes_of_value(const T& value) {
  return std::as_bytes(std::span(&value, 1));
}

std::uint32_t crc_of(const Row& row) {
  return crc32c(bytes_of_value(row).first(sizeof(Row) - sizeof row.crc));
}

/// Of a header whose crc is 0 and the bytes that follow it.
std::uint32_t crc_of(const Header& header, Bytes bytes) {
  return crc32c(bytes_of_value(header)) ^ crc32c(bytes);
}

/// Cuts off what a killed process wrote beyond its last note.
void cut(const Path& path, std::uint64_t bytes) {
  const std::uint64_t found = std::filesystem::exists(path) ? std::filesystem::file_size(path) : 0;
  if (found < bytes)
    throw DataError(
        fmt::format("continuing a pack: {} has {} bytes, but {} were noted; "
                    "remove its folder and pack again",
                    path.string(), found, bytes));
  if (found > bytes) std::filesystem::resize_file(path, bytes);
}

}  // namespace

SpillWriter::SpillWriter(FileSystem& files, Journal& journal, const PackPlan& plan, int rank,
                         std::uint64_t run_bytes)
    : journal_(journal),
      order_(plan.order()),
      images_per_shard_(plan.images_per_shard),
      shards_(plan.shards()),
      run_bytes_(run_bytes),
      rank_(rank) {
  const auto spills = journal.spills();
  if (const auto at = spills.find(rank); at != spills.end()) noted_ = at->second;
  cut(data_path(journal, rank), noted_.bytes);
  cut(table_path(journal, rank), noted_.extents * sizeof(Row));
  data_ = files.open_append(data_path(journal, rank));
  table_ = files.open_append(table_path(journal, rank));
}

void SpillWriter::add(std::uint64_t entry, PreparedImage image) {
  Kept kept;
  kept.image.position = order_.inverse(entry);
  if (image.reject.empty()) {
    kept.shard = kept.image.position / images_per_shard_;
    kept.image.flags = image.flags;
    kept.image.bytes = std::move(image.bytes);
  } else {
    kept.shard = shards_;
    const Bytes reason = bytes_of(image.reject);
    kept.image.bytes.assign(reason.begin(), reason.end());
    rejects_.push_back({entry, std::move(image.reject)});
  }
  in_run_ += kept.image.bytes.size() + sizeof(Kept);
  run_.push_back(std::move(kept));
  if (in_run_ >= run_bytes_) write_run();
}

void SpillWriter::write_run() {
  std::sort(run_.begin(), run_.end(), [](const Kept& a, const Kept& b) {
    return std::pair(a.shard, a.image.position) < std::pair(b.shard, b.image.position);
  });
  std::vector<Row> rows;
  std::vector<std::byte> buffer;
  const auto put = [&](Bytes bytes) { buffer.insert(buffer.end(), bytes.begin(), bytes.end()); };
  for (const auto& [shard, image] : run_) {
    if (rows.empty() || rows.back().shard != shard) rows.push_back({shard, noted_.bytes, 0, 0, 0});
    Header header{image.position, static_cast<std::uint32_t>(image.bytes.size()), 0, image.flags};
    header.crc = crc_of(header, image.bytes);
    put(bytes_of_value(header));
    put(image.bytes);
    const std::uint64_t length = sizeof header + image.bytes.size();
    rows.back().bytes += length;
    ++rows.back().images;
    noted_.bytes += length;
    if (buffer.size() < kSpillBuffer) continue;
    data_->write(buffer);
    buffer.clear();
  }
  data_->write(buffer);
  for (Row& row : rows) row.crc = crc_of(row);
  table_->write(std::as_bytes(std::span(rows)));
  noted_.extents += rows.size();
  since_commit_ += in_run_;
  in_run_ = 0;
  run_.clear();
}

void SpillWriter::finish_archive(std::uint64_t archive) {
  noted_.archives.push_back(archive);
  // Small archives share a run, so that pieces stay large.
  if (in_run_ + since_commit_ >= run_bytes_ / 4) commit();
}

void SpillWriter::commit() {
  write_run();
  data_->sync();
  table_->sync();
  journal_.note(rank_, noted_);
  since_commit_ = 0;
}

void SpillWriter::close() {
  commit();
  data_->close();
  table_->close();
}

Spill::Spill(const Journal& journal, const PackPlan& plan, const std::vector<std::uint64_t>& shards)
    : order_(plan.order()), shards_(plan.shards()) {
  for (const std::uint64_t shard : shards) extents_[shard];
  extents_[shards_];
  for (const auto& [rank, noted] : journal.spills()) {
    files_.emplace_back(data_path(journal, rank));
    std::vector<Row> rows(noted.extents);
    InputFile(table_path(journal, rank)).read_at(0, std::as_writable_bytes(std::span(rows)));
    for (const Row& row : rows) {
      if (row.crc != crc_of(row) || row.offset > noted.bytes || row.bytes > noted.bytes - row.offset)
        throw FileError(table_path(journal, rank).string() +
                            " returns something other than was written: the disk or memory is faulty; "
                            "remove its folder and pack again",
                        EIO);
      if (const auto at = extents_.find(row.shard); at != extents_.end())
        at->second.push_back({files_.size() - 1, row.offset, row.bytes});
    }
  }
}

std::vector<SpilledImage> Spill::read(const std::vector<Extent>& extents) const {
  std::vector<SpilledImage> images;
  std::vector<std::byte> piece;
  for (const Extent& extent : extents) {
    const InputFile& file = files_[extent.file];
    piece.resize(extent.bytes);
    file.read_at(extent.offset, piece);
    for (std::size_t at = 0; at < piece.size();) {
      Header header;
      const std::size_t left = piece.size() - at;
      if (left >= sizeof header) std::memcpy(&header, piece.data() + at, sizeof header);
      const bool whole = left >= sizeof header && header.bytes <= left - sizeof header;
      const Bytes bytes = whole ? Bytes(piece).subspan(at + sizeof header, header.bytes) : Bytes();
      const std::uint32_t meant = std::exchange(header.crc, 0);
      if (!whole || crc_of(header, bytes) != meant)
        throw FileError(
            fmt::format("{} returns something other than was written at {}: the disk or memory is faulty; "
                        "remove its folder and pack again",
                        file.path().string(), extent.offset + at),
            EIO);
      images.push_back(
          {header.position, static_cast<std::uint8_t>(header.flags), {bytes.begin(), bytes.end()}});
      at += sizeof header + header.bytes;
    }
  }
  std::sort(images.begin(), images.end(), [](auto& a, auto& b) { return a.position < b.position; });
  return images;
}

std::vector<SpilledImage> Spill::images_of(std::uint64_t shard) const {
  auto images = read(extents_.at(shard));
  for (std::size_t i = 1; i < images.size(); ++i)
    if (images[i].position == images[i - 1].position)
      throw DataError(
          fmt::format("packing: the archives delivered catalogue entry {} twice; "
                      "they changed while being read",
                      order_(images[i].position)));
  return images;
}

std::unordered_map<std::uint64_t, std::string> Spill::rejects() const {
  std::unordered_map<std::uint64_t, std::string> reasons;
  for (const auto& image : read(extents_.at(shards_)))
    reasons.emplace(order_(image.position),
                    std::string(reinterpret_cast<const char*>(image.bytes.data()), image.bytes.size()));
  return reasons;
}

}  // namespace facemae
