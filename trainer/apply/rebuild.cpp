#include "trainer/apply/rebuild.h"

#include <torch/torch.h>

#include <algorithm>

#include "core/error.h"
#include "data/image/image.h"
#include "model/common/pixels.h"

namespace facemae {

std::vector<std::vector<std::byte>> rebuild_rows(const Store& source, const std::vector<std::uint64_t>& rows,
                                                 FaceMae& model, torch::Device device,
                                                 const RebuildConfig& config,
                                                 const std::function<void(std::size_t)>& advance) {
  torch::NoGradGuard no_grad;
  const int side = model->config.image;
  const std::size_t image_bytes = static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * 3;
  Decoder decoder;
  std::vector<std::byte> encoded;
  std::vector<std::vector<std::byte>> rebuilt;
  for (std::size_t at = 0; at < rows.size(); at += config.batch) {
    const std::size_t count = std::min(config.batch, rows.size() - at);
    std::vector<std::uint8_t> pixels(count * image_bytes);
    auto noise = torch::empty({static_cast<std::int64_t>(count), model->config.patches()}, torch::kFloat64);
    auto* value = noise.data_ptr<double>();
    for (std::size_t i = 0; i < count; ++i) {
      source.read(rows[at + i], encoded);
      try {
        decoder.decode_into(encoded, side, side, std::span(pixels).subspan(i * image_bytes, image_bytes));
      } catch (const DataError& error) {
        throw DataError("row " + std::to_string(rows[at + i]) + " of " + source.folder().string() + ": " +
                        error.what());
      }
      SecretStream draws(derive(config.mask_key, "mask of a face", encoded));
      for (std::int64_t patch = 0; patch < model->config.patches(); ++patch) *value++ = draws.uniform();
    }
    const Masked mask = mask_from_noise(noise.to(device), config.mask_ratio);
    const auto images = to_network_input(pixels, side, {}, device);
    const auto bytes = to_bytes(model->unpatchify(model->decode(model->encode(images, mask), mask)));
    for (std::size_t i = 0; i < count; ++i) {
      const Image image{side,
                        side,
                        {bytes.begin() + static_cast<std::ptrdiff_t>(i * image_bytes),
                         bytes.begin() + static_cast<std::ptrdiff_t>((i + 1) * image_bytes)}};
      rebuilt.push_back(config.png ? encode_png(image) : encode_jpeg(image, config.jpeg_quality));
    }
    advance(count);
  }
  return rebuilt;
}

}  // namespace facemae
