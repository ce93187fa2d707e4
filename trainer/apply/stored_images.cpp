#include "trainer/apply/stored_images.h"

#include <torch/torch.h>

#include "data/image/image.h"

namespace facemae {

torch::Tensor load_images(const Store& store, const std::vector<std::uint64_t>& rows) {
  const std::int64_t side = store.image_size();
  auto images = torch::empty({static_cast<std::int64_t>(rows.size()), side, side, 3}, torch::kUInt8);
  const auto bytes = static_cast<std::size_t>(side * side * 3);
  Decoder decoder;
  std::vector<std::byte> encoded;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    store.read(rows[i], encoded);
    decoder.decode_into(encoded, static_cast<int>(side), static_cast<int>(side),
                        std::span(images.data_ptr<std::uint8_t>() + i * bytes, bytes));
  }
  return images.permute({0, 3, 1, 2}).contiguous();
}

}  // namespace facemae
