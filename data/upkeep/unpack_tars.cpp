#include "data/upkeep/unpack_tars.h"

#include "core/error.h"
#include "core/files/temporary_file.h"
#include "core/log.h"
#include "core/text.h"
#include "data/archives/webdataset.h"
#include "data/formats/shard_pattern.h"
#include "data/upkeep/unpack_files.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;

struct Shards {
  explicit Shards(const Path& out)
      : pattern(fs::absolute(out).lexically_normal()),
        folder(pattern.parent_path()),
        mark(pattern.string() + ".unpacking"),
        names(shard_pattern(pattern.filename().string()).value()) {}
  Path path(std::uint64_t shard) const { return folder / names.name(shard); }
  /// The row at which a shard begins, for 0 <= shard <= names.count.
  std::uint64_t begin_of(std::uint64_t shard, std::uint64_t rows) const {
    const std::uint64_t even = rows / names.count, rest = rows % names.count;
    return shard * even + shard * rest / names.count;
  }
  const Path pattern, folder, mark;
  const ShardPattern names;
};

std::string mark_text(const Store& store) {
  return fmt::format(
      "shards of a WebDataset that facemae unpack has not finished\ndataset {}\n{} images of {} identities\n",
      store.dataset_digest().hex(), store.size(), store.identities());
}

}  // namespace

std::uint64_t write_tar(const Store& store, const UnpackNames& names, std::uint64_t first, std::uint64_t end,
                        const Path& path, FileSystem& files, Progress& progress) {
  BufferedFile file(files, path);
  TarWriter tar([&](Bytes bytes) { file.write(bytes); });
  std::vector<std::byte> image;
  std::uint64_t bytes = 0;
  for (std::uint64_t row = first; row < end; ++row) {
    store.read(row, image);
    const std::int64_t label = store.label(row);
    const std::string key = names.identity(label) + "/" + names.row(row);
    tar.add(key + image_ending(image), image);
    tar.add(key + ".cls", bytes_of(std::to_string(label)));
    bytes += image.size();
    progress.advance();
  }
  tar.finish();
  file.finish();
  return bytes;
}

bool names_shards(const Path& out) { return shard_pattern(out.filename().string()).has_value(); }

void begin_shards(const Store& store, const Path& out, FileSystem& files) {
  const Shards shards(out);
  if (shards.names.count > store.size())
    throw ConfigError(fmt::format("unpacking: {} names {} shards, more than the {} images of {}",
                                  shards.pattern.string(), shards.names.count, store.size(),
                                  store.folder().string()));
  make_folders(files, shards.folder);
  if (fs::exists(fs::symlink_status(shards.mark))) {
    if (read_plain_file(shards.mark) != mark_text(store))
      throw ConfigError(fmt::format(
          "unpacking: {} says that the shards were begun from another store, or is no mark of ours; "
          "choose another --out, or remove it and the shards first",
          shards.mark.string()));
    return;
  }
  for (std::uint64_t shard = 0; shard < shards.names.count; ++shard)
    if (fs::exists(fs::symlink_status(shards.path(shard))))
      throw ConfigError(fmt::format("unpacking: {} exists; choose another --out, or remove it first",
                                    shards.path(shard).string()));
  require_room_to_unpack(store, shards.folder, kBesideAFile);
  write_durably(files, shards.mark, mark_text(store));
}

ShardsWritten write_shards(const Store& store, const Path& out, FileSystem& files, int rank, int ranks,
                           bool show_progress) {
  const Shards shards(out);
  const UnpackNames names(store);
  const auto step = static_cast<std::uint64_t>(ranks);
  ShardsWritten written;
  std::vector<std::uint64_t> missing;
  std::uint64_t rows = 0;
  for (auto shard = static_cast<std::uint64_t>(rank); shard < shards.names.count; shard += step) {
    if (fs::exists(shards.path(shard))) {
      ++written.kept;
      continue;
    }
    missing.push_back(shard);
    rows += shards.begin_of(shard + 1, store.size()) - shards.begin_of(shard, store.size());
  }
  Progress progress(ranks > 1 ? "unpacking the first rank's share" : "unpacking", rows, "images",
                    show_progress);
  for (const std::uint64_t shard : missing) {
    const std::uint64_t first = shards.begin_of(shard, store.size()),
                        end = shards.begin_of(shard + 1, store.size());
    const RemovedUnlessDone work(own_temporary(shards.pattern));
    written.bytes += write_tar(store, names, first, end, work.path, files, progress);
    files.rename(work.path, shards.path(shard));
    files.sync_folder(shards.folder);
    written.images += end - first;
    ++written.shards;
  }
  progress.finish();
  return written;
}

void finish_shards(const Path& out, FileSystem& files) {
  const Shards shards(out);
  files.remove(shards.mark);
  files.sync_folder(shards.folder);
}

}  // namespace facemae
