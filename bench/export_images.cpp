// Writes the images of a store as JPEG files, for programs that read folders, with labels.txt, the label of each row; with
// SEED and COUNT also order.txt: the rows of the first COUNT ordinals of a run of that seed.
#include <filesystem>
#include <string>

#include "data/order/order.h"
#include "data/store/store.h"

int main(int argc, char** argv) {
  using namespace facemae;
  if (argc != 3 && argc != 5) return 2;
  const auto store = Store::open(argv[1]);
  const Path folder = argv[2];
  make_folders(real_files(), folder);
  std::vector<std::byte> encoded;
  std::string labels, order;
  for (std::uint64_t row = 0; row < store->size(); ++row) {
    store->read(row, encoded);
    auto out = real_files().create(folder / (std::to_string(row) + ".jpg"));
    out->write(encoded);
    out->close();
    labels += std::to_string(store->label(row)) + "\n";
  }
  write_output(real_files(), folder / "labels.txt", labels);
  if (argc == 5) {
    const Order rows(store->size(), std::stoull(argv[3]));
    for (std::uint64_t ordinal = 0; ordinal < std::stoull(argv[4]); ++ordinal)
      order += std::to_string(rows.row(ordinal)) + "\n";
    write_output(real_files(), folder / "order.txt", order);
  }
  return 0;
}
