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
#include "data/upkeep/unpack_files.h"
#include "data/upkeep/unpack_names.h"
#include "data/upkeep/unpack_tars.h"

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
    BufferedFile rec(files_, work_ / "train.rec"), idx(files_, work_ / "train.idx"),
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
    BufferedFile property(files_, work_ / "property");
    property.write(fmt::format("{},{},{}\n", identities, store_.image_size(), store_.image_size()));
    property.finish();
    files_.sync_folder(work_);
  }

  void to_tar() { bytes_ = write_tar(store_, names_, 0, store_.size(), work_, files_, progress_); }

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
  constexpr std::uint64_t kBesideARecord = 96;  // its framing and its lines
  require_room_to_unpack(store, parent, format == UnpackTo::Rec ? kBesideARecord : kBesideAFile);

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
