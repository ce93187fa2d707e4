// Writes the images of a store as JPEG files, for programs that read folders.
#include <filesystem>

#include "data/store/store.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto store = facemae::Store::open(argv[1]);
  facemae::make_folders(facemae::real_files(), argv[2]);
  std::vector<std::byte> encoded;
  for (std::uint64_t row = 0; row < store->size(); ++row) {
    store->read(row, encoded);
    auto out = facemae::real_files().create(facemae::Path(argv[2]) / (std::to_string(row) + ".jpg"));
    out->write(encoded);
    out->close();
  }
  return 0;
}
