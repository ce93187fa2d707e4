// Times a pack of a folder of images, from listing it to the finished store; the images come from a store, so
// that bench_loader decodes the same ones. Prints images per second.
#include "data/pack/pack.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "data/store/store.h"

namespace {

using namespace facemae;

void export_faces(const Store& store, const Path& folder) {
  std::vector<std::byte> encoded;
  for (std::int64_t label = 0; label < store.identities(); ++label) {
    const Path identity = folder / store.identity_name(label);
    make_folders(real_files(), identity);
    for (const std::uint64_t row : store.rows_of(label)) {
      store.read(row, encoded);
      auto out = real_files().create(identity / (std::to_string(row) + ".jpg"));
      out->write(encoded);
      out->close();
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr,
                 "usage: bench_pack THREADS STORE FOLDER OUT   (FOLDER is made from STORE when missing)\n");
    return 2;
  }
  const Path folder = argv[3];
  if (!std::filesystem::exists(folder)) export_faces(*Store::open(argv[2]), folder);
  PackConfig config;
  config.out = argv[4];
  config.threads = std::atoi(argv[1]);
  config.show_progress = false;
  std::filesystem::remove_all(config.out);
  const auto start = std::chrono::steady_clock::now();
  const auto result = pack(*folder_source({folder}), config, real_files());
  std::printf("%.1f\n", static_cast<double>(result.images) /
                            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  return 0;
}
