// Shards as files of bytes (data/store/shard_file.h, data/hdf5/seal.h): what was damaged by chance is told by
// the seal before anything else is looked at. Files that were changed on purpose, and sealed
// again, are forged_file_fuzz's.
#include "core/checksum.h"
#include "core/error.h"
#include "data/hdf5/seal.h"
#include "data/store/shard_file.h"
#include "tests/fuzz/target.h"
#include "tests/temporary_folder.h"

namespace facemae::fuzz {
namespace {

std::string shard_of(std::size_t images, std::optional<std::uint64_t> ingest_seed) {
  const test::TemporaryFolder folder;
  const std::vector<std::vector<std::byte>> encoded(images, std::vector<std::byte>(5, std::byte{7}));
  ShardContent content{.uuid = "u", .image_size = 16, .ingest_seed = ingest_seed, .images = encoded};
  for (std::size_t i = 0; i < images; ++i) content.labels.push_back(static_cast<std::int64_t>(i));
  if (ingest_seed) {
    content.source_keys.resize(images, 1);
    content.flags.resize(images, 2);
  }
  return read_file(folder.path() / write_shard(real_files(), folder.path(), content).file);
}

/// With the checksum that makes the last 64 bytes a seal.
std::string with_checksum(std::string bytes) {
  if (bytes.size() < kSealBytes) return bytes;
  const std::size_t begin = bytes.size() - kSealBytes;
  bytes.replace(begin, 12, std::string("FMSEALED\x01\0\0\0", 12));
  const std::uint32_t crc = crc32c(bytes_of(bytes).subspan(begin, kSealBytes - 4));
  for (std::size_t i = 0; i < 4; ++i) bytes[bytes.size() - 4 + i] = static_cast<char>(crc >> (8 * i));
  return bytes;
}

}  // namespace

// Pieces that are hashed.
std::size_t justified_allocation(std::size_t) { return 16 << 20; }

void parse(std::string_view input) {
  static InputPath file;
  try {
    const Path& path = file.holding(with_checksum(std::string(input)));
    const Seal seal = read_seal(InputFile(path));
    require(seal.blob.offset + seal.blob.bytes <= input.size(), "the images lie within the file");
    check_seal(InputFile(path));
  } catch (const DataError&) {  // most seals are of other files
  }
  const ShardIndex index = read_shard(file.holding(input));
  require(index.offsets.size() == index.labels.size() + 1, "each image has a label");
}

std::vector<std::string> seeds() { return {shard_of(3, 7), shard_of(2, std::nullopt), shard_of(0, 1)}; }

}  // namespace facemae::fuzz
