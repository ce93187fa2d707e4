#include "data/upkeep/unpack.h"

#include <sys/utsname.h>

#include <chrono>
#include <cstdio>

#include "core/error.h"
#include "core/files/temporary_file.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/text.h"
#include "data/formats/recordio.h"
#include "data/formats/webdataset.h"
#include "data/upkeep/unpack_names.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;

/// Since Linux 5.8 syncfs() reports when something could not be written, for instance because of
/// a full quota.
bool one_sync_tells_of_all() {
  struct utsname system {};
  int major = 0, minor = 0;
  if (::uname(&system) != 0 || std::sscanf(system.release, "%d.%d", &major, &minor) != 2) return false;
  return major > 5 || (major == 5 && minor >= 8);
}

/// Gathers small writes to one file into large ones.
class Buffered {
 public:
  Buffered(FileSystem& files, const Path& path) : file_(files.create(path)) {}
  void write(Bytes bytes) {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    written_ += bytes.size();
    if (buffer_.size() >= kBytes) flush();
  }
  void write(const std::string& text) { write(bytes_of(text)); }
  std::uint64_t written() const { return written_; }
  void finish() {
    flush();
    file_->sync();
    file_->close();
  }

 private:
  static constexpr std::size_t kBytes = 1 << 20;
  void flush() {
    if (!buffer_.empty()) file_->write(buffer_);
    buffer_.clear();
  }
  std::unique_ptr<OutputFile> file_;
  std::vector<std::byte> buffer_;
  std::uint64_t written_ = 0;
};

class Unpacking {
 public:
  Unpacking(const Store& store, const Path& work, FileSystem& files, bool show_progress)
      : store_(store),
        names_(store),
        work_(work),
        files_(files),
        progress_("unpacking", store.size(), "images", show_progress) {}

  void to_folder() {
    const bool one_sync = one_sync_tells_of_all();
    files_.make_folder(work_);
    for (std::int64_t label = names_.first_label(); label < store_.identities(); ++label) {
      const auto rows = names_.rows_of(label);
      if (rows.empty()) continue;
      const Path folder = work_ / names_.identity(label);
      files_.make_folder(folder);
      for (std::uint64_t number = 0; number < rows.size(); ++number) {
        read(rows[number]);
        const auto file = files_.create(folder / (names_.number(number) + image_ending(image_)));
        file->write(image_);
        if (!one_sync) file->sync();
        file->close();
      }
    }
    files_.sync_all(work_);
  }

  void to_rec() {
    const auto identities = static_cast<std::uint64_t>(store_.identities());
    const RecDialect dialect = choose_dialect(store_.size(), identities);
    if (!names_.rows_of(-1).empty())
      throw ConfigError(
          fmt::format("unpacking {}: {} images have no identity, and a .rec has a class for each; "
                      "unpack to folder or tar",
                      store_.folder().string(), names_.rows_of(-1).size()));
    const bool insightface = dialect == RecDialect::InsightFace;
    if (!insightface)
      spdlog::warn(
          "{} images and {} identities are more than InsightFace's .rec can count (float32, {}): writing it without header and identity records, like MXNet's im2rec",
          human_count(store_.size()), identities, kExactFloat);
    files_.make_folder(work_);
    Buffered rec(files_, work_ / "train.rec"), idx(files_, work_ / "train.idx"),
        lst(files_, work_ / "train.lst");
    const auto add = [&](std::uint64_t key, const ImageRecord& record) {
      idx.write(fmt::format("{}\t{}\n", key, rec.written()));
      rec.write(write_record(write_image_record(record)));
    };
    const std::uint64_t first = insightface ? 1 : 0, end = store_.size() + first;
    const auto number = [](std::uint64_t value) { return static_cast<float>(value); };
    if (insightface)
      add(0, {.label = 0, .id = 0, .id2 = 0, .labels = {number(end), number(end + identities)}, .image = {}});
    std::uint64_t key = first;
    std::vector<std::uint64_t> ends;  // of each identity's keys
    for (std::int64_t label = 0; label < store_.identities(); ++label) {
      std::uint64_t in_identity = 0;
      for (const std::uint64_t row : names_.rows_of(label)) {
        read(row);
        add(key, {.label = number(static_cast<std::uint64_t>(label)),
                  .id = key,
                  .id2 = 0,
                  .labels = {},
                  .image = image_});
        lst.write(fmt::format("1\t{}/{}{}\t{}\n", names_.identity(label), names_.number(in_identity++),
                              image_ending(image_), label));
        ++key;
      }
      ends.push_back(key);
    }
    for (std::uint64_t k = 0, begin = first; insightface && k < identities; begin = ends[k++])
      add(end + k,
          {.label = 0, .id = end + k, .id2 = 0, .labels = {number(begin), number(ends[k])}, .image = {}});
    rec.finish();
    idx.finish();
    lst.finish();
    Buffered property(files_, work_ / "property");
    property.write(fmt::format("{},{},{}\n", identities, store_.image_size(), store_.image_size()));
    property.finish();
    files_.sync_folder(work_);
  }

  void to_tar() {
    Buffered file(files_, work_);
    TarWriter tar([&](Bytes bytes) { file.write(bytes); });
    for (std::uint64_t row = 0; row < store_.size(); ++row) {
      read(row);
      const std::int64_t label = store_.label(row);
      const std::string key = names_.identity(label) + "/" + names_.row(row);
      tar.add(key + image_ending(image_), image_);
      tar.add(key + ".cls", bytes_of(std::to_string(label)));
    }
    tar.finish();
    file.finish();
  }

  std::uint64_t bytes() const { return bytes_; }
  void finish_progress() { progress_.finish(); }

 private:
  void read(std::uint64_t row) {
    store_.read(row, image_);
    bytes_ += image_.size();
    progress_.advance();
  }

  const Store& store_;
  const UnpackNames names_;
  Path work_;
  FileSystem& files_;
  Progress progress_;
  std::vector<std::byte> image_;
  std::uint64_t bytes_ = 0;
};

/// After the rename nothing has this name any more.
struct RemovedUnlessDone {
  explicit RemovedUnlessDone(Path made) : path(std::move(made)) {}
  ~RemovedUnlessDone() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  RemovedUnlessDone(const RemovedUnlessDone&) = delete;
  RemovedUnlessDone& operator=(const RemovedUnlessDone&) = delete;
  const Path path;
};

void require_room(const Store& store, const Path& folder, UnpackTo format) {
  std::uint64_t bytes = 0, images = 0;  // of the shards, which a view shares with others
  for (const auto& shard : store.shards()) bytes += shard.bytes, images += shard.images;
  // Beside the images: whole blocks of a disk, two headers of a tar, or a record's framing and its lines.
  const std::uint64_t beside = format == UnpackTo::Rec ? 96 : 2560;
  const std::uint64_t needed = store.size() * (images == 0 ? 0 : bytes / images + 1 + beside);
  const std::uint64_t available = fs::space(folder).available;
  if (needed > available)
    throw ConfigError(
        fmt::format("unpacking into {}: about {} are needed and {} are free; "
                    "choose another disk or free some space",
                    folder.string(), human_bytes(needed), human_bytes(available)));
}

}  // namespace

RecDialect choose_dialect(std::uint64_t images, std::uint64_t identities) {
  if (identities > kExactFloat)
    throw ConfigError(fmt::format(
        "unpacking to rec: {} identities, but the class numbers of a .rec are float32, which is exact up to {}; "
        "unpack to folder or tar",
        identities, kExactFloat));
  return images + identities + 1 <= kExactFloat ? RecDialect::InsightFace : RecDialect::Plain;
}

UnpackResult unpack(const Store& store, UnpackTo format, const Path& out, FileSystem& files,
                    bool show_progress) {
  const auto start = std::chrono::steady_clock::now();
  const Path target = fs::absolute(out).lexically_normal();
  const Path parent = target.has_filename() ? target.parent_path() : target.parent_path().parent_path();
  const Path final = target.has_filename() ? target : target.parent_path();
  if (fs::symlink_status(final).type() != fs::file_type::not_found)
    throw ConfigError(
        fmt::format("unpacking: {} exists; choose another --out, or remove it first", final.string()));
  make_folders(files, parent);
  require_room(store, parent, format);

  const RemovedUnlessDone work(own_temporary(final));
  Unpacking unpacking(store, work.path, files, show_progress);
  switch (format) {
    case UnpackTo::Folder:
      unpacking.to_folder();
      break;
    case UnpackTo::Rec:
      unpacking.to_rec();
      break;
    case UnpackTo::Tar:
      unpacking.to_tar();
      break;
  }
  files.rename(work.path, final);
  files.sync_folder(parent);
  unpacking.finish_progress();
  return {.images = store.size(),
          .bytes = unpacking.bytes(),
          .identities = store.identities(),
          .seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()};
}

}  // namespace facemae
