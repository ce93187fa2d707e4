// Times opening a store of many rows, whose images are a few bytes each. Prints the median of seven times in
// milliseconds: hashed, and unhashed as the other ranks of a node open it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "data/store/manifest.h"
#include "data/store/shard_file.h"

namespace {

using namespace facemae;

constexpr std::uint64_t kShardRows = 300'000, kOfIdentity = 20;  // as WebFace260M in 870 shards

void make_store(const Path& folder, std::uint64_t rows) {
  make_folders(real_files(), folder);
  StoreManifest manifest;
  manifest.uuid = "bench";
  manifest.image_size = 112;
  manifest.identities = static_cast<std::int64_t>(rows / kOfIdentity);
  manifest.ingest_seed = 1;
  manifest.pack_settings = "{}";
  std::vector<std::int64_t> labels;
  for (std::uint64_t row = 0; row < rows; ++row)
    labels.push_back(static_cast<std::int64_t>(row % (rows / kOfIdentity)));
  for (std::uint64_t first = 0; first < rows; first += kShardRows) {
    const std::uint64_t count = std::min(kShardRows, rows - first);
    const std::vector<std::vector<std::byte>> images(count, std::vector<std::byte>(8));
    ShardContent content;
    content.uuid = manifest.uuid;
    content.shard = manifest.shards.size();
    content.shards = (rows + kShardRows - 1) / kShardRows;
    content.image_size = manifest.image_size;
    content.ingest_seed = 1;
    content.images = images;
    content.labels.assign(labels.begin() + static_cast<std::ptrdiff_t>(first),
                          labels.begin() + static_cast<std::ptrdiff_t>(first + count));
    content.source_keys.resize(count);
    content.flags.resize(count);
    manifest.shards.push_back(write_shard(real_files(), folder, content));
  }
  for (std::int64_t k = 0; k < manifest.identities; ++k) manifest.identity_names.push_back(std::to_string(k));
  complete_manifest(manifest, labels);
  write_manifest(real_files(), folder, manifest);
}

double milliseconds(const Path& folder, SealCheck check) {
  std::vector<double> times;
  for (int pass = 0; pass < 7; ++pass) {
    const auto start = std::chrono::steady_clock::now();
    const auto store = Store::open(folder, real_inputs(), {}, check);
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + 3, times.end());
  return times[3];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_open_store FOLDER ROWS\n");
    return 2;
  }
  const Path folder = argv[1];
  if (!std::filesystem::exists(folder / kManifestName))
    make_store(folder, std::strtoull(argv[2], nullptr, 10));
  std::printf("hashed    %8.1f ms\n", milliseconds(folder, SealCheck::Hashed));
  std::printf("unhashed  %8.1f ms\n", milliseconds(folder, SealCheck::Unhashed));
  return 0;
}
