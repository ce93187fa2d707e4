#include "data/store/shard_file.h"

#include <algorithm>
#include <cerrno>

#include "core/error.h"
#include "core/files/page_cache.h"
#include "core/files/temporary_file.h"
#include "core/log.h"
#include "data/hdf5/hdf5.h"
#include "data/store/shard_images.h"

namespace facemae {
namespace {

constexpr const char* kShardFormat = "facemae-shard";
constexpr std::uint64_t kShardVersion = 1;
constexpr std::size_t kDrainAt = 8 << 20;

bool is_png(Bytes image) { return !image.empty() && image[0] == std::byte{0x89}; }

std::string codec_of(std::span<const std::vector<std::byte>> images) {
  const auto pngs = static_cast<std::size_t>(
      std::count_if(images.begin(), images.end(), [](const auto& image) { return is_png(image); }));
  return pngs == 0 ? "jpeg" : pngs == images.size() ? "png" : "mixed";
}

Hash128 index_digest(const ShardIndex& index) {
  Hasher hasher;
  for (const Bytes array : {index.offsets.bytes(), index.crcs.bytes(), index.labels.bytes(),
                            index.source_keys.bytes(), index.flags.bytes()})
    hasher.add(array);
  return hasher.digest();
}

/// Everything about the shard except where its blob lies.
ShardIndex index_of(const ShardContent& content) {
  const std::size_t images = content.images.size();
  const bool released = !content.ingest_seed.has_value();
  const std::size_t extra = released ? 0 : images;
  if (content.labels.size() != images || content.source_keys.size() != extra || content.flags.size() != extra)
    throw Error(fmt::format(
        "writing shard {}: {} images, {} labels, {} source keys and {} flags do not match", content.shard,
        images, content.labels.size(), content.source_keys.size(), content.flags.size()));
  ShardIndex index;
  index.uuid = content.uuid;
  index.codec = codec_of(content.images);
  index.shard = content.shard;
  index.shards = content.shards;
  index.image_size = content.image_size;
  index.ingest_seed = content.ingest_seed;
  index.info.file = shard_name(content.shard);
  index.info.images = images;
  index.labels = content.labels;
  index.source_keys = content.source_keys;
  index.flags = content.flags;
  std::vector<std::uint64_t> offsets{0};
  std::vector<std::uint32_t> crcs;
  Hasher blob;
  for (const auto& image : content.images) {
    crcs.push_back(crc32c(image));
    index.info.bytes += image.size();
    offsets.push_back(index.info.bytes);
    blob.add(image);
  }
  index.offsets = std::move(offsets);
  index.crcs = std::move(crcs);
  index.info.blob_digest = blob.digest();
  index.info.index_digest = index_digest(index);
  return index;
}

void write_blob(hdf5::File& file, std::span<const std::vector<std::byte>> images) {
  std::vector<std::byte> buffer;
  buffer.reserve(kDrainAt);
  std::uint64_t at = 0;
  const auto drain = [&] {
    file.write_bytes("/blob", at, buffer);
    at += buffer.size();
    buffer.clear();
  };
  for (const auto& image : images) {
    buffer.insert(buffer.end(), image.begin(), image.end());
    if (buffer.size() >= kDrainAt) drain();
  }
  drain();
}

void write_hdf5(const Path& path, const ShardIndex& index, std::span<const std::vector<std::byte>> images) {
  // The blob is the largest array, so this aligns it and nothing small.
  auto file = index.info.bytes > 0 ? hdf5::File::create(path, index.info.bytes) : hdf5::File::create(path);
  file.write_attribute("format", std::string(kShardFormat));
  file.write_attribute("version", kShardVersion);
  file.write_attribute("uuid", index.uuid);
  file.write_attribute("shard", index.shard);
  file.write_attribute("shards", index.shards);
  file.write_attribute("images", index.info.images);
  file.write_attribute("blob_bytes", index.info.bytes);
  file.write_attribute("codec", index.codec);
  file.write_attribute("image_size", static_cast<std::uint64_t>(index.image_size));
  if (index.ingest_seed) file.write_attribute("ingest_seed", *index.ingest_seed);
  file.write_attribute("blob_digest", index.info.blob_digest.hex());
  file.write_attribute("index_digest", index.info.index_digest.hex());
  file.make_blob("/blob", index.info.bytes);
  file.make_group("/index");
  file.write_array("/index/offset", index.offsets.span());
  file.write_array("/index/crc32c", index.crcs.span());
  file.write_array("/index/label", index.labels.span());
  if (index.ingest_seed) {
    file.write_array("/index/source_key", index.source_keys.span());
    file.write_array("/index/flags", index.flags.span());
  }
  write_blob(file, images);
  file.flush();
  file.write_attribute("complete", std::uint64_t{1});
  file.close();
}

/// Reads everything back from the storage, past the page cache, and checks that what is there is what was
/// meant. Returns the shard's info with the blob's place.
ShardInfo check_written(const Path& path, const ShardIndex& meant, InputFiles& inputs) {
  say_if_cache_stays(path.parent_path());
  {
    const InputFile file(path);
    file.forget(0, file.size());
  }
  const ShardIndex found = read_shard(path);
  const auto refuse = [&](const std::string& what) {
    throw FileError(
        "checking " + path.string() + " after writing it: " + what + "; the disk or memory is faulty", EIO);
  };
  if (found.info.index_digest != meant.info.index_digest) refuse("the index digest differs");
  const auto see = [&](std::uint64_t image, const std::string& fault) {
    if (!fault.empty()) refuse(fmt::format("image {}: {}", image, fault));
  };
  if (reread_images(found, *inputs.open(path), false, see) != meant.info.blob_digest)
    refuse("the blob digest differs");
  ShardInfo info = meant.info;
  info.blob_offset = found.info.blob_offset;
  return info;
}

void check_index(const Path& path, const ShardIndex& index, SealCheck check) {
  const auto refuse = [&](const std::string& what) {
    throw DataError(path.string() + ": " + what +
                    "; the shard is damaged: pack it again or copy it from a replica");
  };
  const std::uint64_t images = index.info.images;
  if (index.offsets.empty() || index.offsets.size() - 1 != images || index.crcs.size() != images ||
      index.labels.size() != images ||
      (index.ingest_seed && (index.source_keys.size() != images || index.flags.size() != images)))
    refuse("the index arrays do not have the lengths that " + std::to_string(images) + " images need");
  if (check == SealCheck::Unhashed) return;
  const Hash128 found = index_digest(index);
  if (found != index.info.index_digest)
    refuse("the index digest is " + found.hex() + ", expected " + index.info.index_digest.hex());
  bool divides = index.offsets.front() == 0 && index.offsets.back() == index.info.bytes;
  for (std::uint64_t i = 0; i < images; ++i) divides = divides && index.offsets[i] <= index.offsets[i + 1];
  if (!divides) refuse("the offsets do not divide the blob");
}

}  // namespace

std::string shard_name(std::uint64_t shard) { return fmt::format("shard-{:05}.h5", shard); }

ShardInfo write_shard(FileSystem& files, const Path& folder, const ShardContent& content,
                      InputFiles& inputs) {
  const ShardIndex index = index_of(content);
  const Path final = folder / index.info.file;
  const TemporaryFile temporary(files, final);
  files.create(temporary.path())->close();
  write_hdf5(temporary.path(), index, content.images);
  hdf5::sync(files, temporary.path());
  ShardInfo info = check_written(temporary.path(), index, inputs);
  files.rename(temporary.path(), final);
  files.sync_folder(folder);
  return info;
}

ShardIndex read_shard(const Path& path, SealCheck check) {
  const auto file = hdf5::Reader::open(path, check);
  if (!file.has_attribute("format") || file.read_text("format") != kShardFormat)
    throw DataError(path.string() + " is an HDF5 file but not a shard of a store (attribute format is not " +
                    kShardFormat + ")");
  if (const auto version = file.read_number("version"); version != kShardVersion)
    throw DataError(
        fmt::format("{} has shard format version {}, but this program reads {}: use a newer program",
                    path.string(), version, kShardVersion));
  if (!file.has_attribute("complete"))
    throw DataError(path.string() + " was never finished: run the same pack command again");
  ShardIndex index;
  index.uuid = file.read_text("uuid");
  index.codec = file.read_text("codec");
  index.shard = file.read_number("shard");
  index.shards = file.read_number("shards");
  // If it exceeds an int, it fits no store.
  index.image_size = static_cast<int>(std::min<std::uint64_t>(file.read_number("image_size"), 1 << 30));
  if (file.has_attribute("ingest_seed")) index.ingest_seed = file.read_number("ingest_seed");
  index.info.file = path.filename().string();
  index.info.images = file.read_number("images");
  index.info.bytes = file.read_number("blob_bytes");
  index.info.blob_digest = Hash128::from_hex(file.read_text("blob_digest"));
  index.info.index_digest = Hash128::from_hex(file.read_text("index_digest"));
  const auto blob = file.place("/blob");
  if (blob.bytes != index.info.bytes)
    throw DataError(fmt::format("/blob of {} has {} bytes, expected {}: the shard is damaged", path.string(),
                                blob.bytes, index.info.bytes));
  index.info.blob_offset = blob.offset;
  index.offsets = file.map_array<std::uint64_t>("/index/offset");
  index.crcs = file.map_array<std::uint32_t>("/index/crc32c");
  index.labels = file.map_array<std::int64_t>("/index/label");
  if (index.ingest_seed) {
    index.source_keys = file.map_array<std::uint64_t>("/index/source_key");
    index.flags = file.map_array<std::uint8_t>("/index/flags");
  }
  check_index(path, index, check);
  return index;
}

}  // namespace facemae
