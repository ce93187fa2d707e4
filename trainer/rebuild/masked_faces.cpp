#include "trainer/rebuild/masked_faces.h"

#include <torch/torch.h>

#include "core/error.h"
#include "model/common/pixels.h"

namespace facemae {

void decode_row(const Store& source, std::uint64_t row, int side, Decoder& decoder,
                std::vector<std::byte>& encoded, std::span<std::uint8_t> pixels) {
  source.read(row, encoded);
  try {
    decoder.decode_into(encoded, side, side, pixels);
  } catch (const DataError& error) {
    throw DataError("row " + std::to_string(row) + " of " + source.folder().string() + ": " + error.what());
  }
}

MaskedFaces masked_faces(const Store& source, std::span<const std::uint64_t> rows, const FaceMae& model,
                         torch::Device device, const RebuildConfig& config) {
  const int side = model->config.image;
  const std::size_t image_bytes = pixel_bytes(side, side);
  Decoder decoder;
  std::vector<std::byte> encoded;
  std::vector<std::uint8_t> pixels(rows.size() * image_bytes);
  auto noise =
      torch::empty({static_cast<std::int64_t>(rows.size()), model->config.patches()}, torch::kFloat64);
  auto* value = noise.data_ptr<double>();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    decode_row(source, rows[i], side, decoder, encoded,
               std::span(pixels).subspan(i * image_bytes, image_bytes));
    SecretStream draws(derive(config.mask_key, "mask of a face", encoded));
    for (std::int64_t patch = 0; patch < model->config.patches(); ++patch) *value++ = draws.uniform();
  }
  return {to_network_input(pixels, side, {}, device), mask_from_noise(noise.to(device), config.mask_ratio)};
}

void append_encoded(const torch::Tensor& images, const RebuildConfig& config,
                    std::vector<std::vector<std::byte>>& encoded) {
  const auto height = static_cast<int>(images.size(2)), width = static_cast<int>(images.size(3));
  const auto bytes = to_bytes(images);
  const auto size = static_cast<std::ptrdiff_t>(pixel_bytes(width, height));
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    const Image image{width, height, {bytes.begin() + i * size, bytes.begin() + (i + 1) * size}};
    encoded.push_back(config.png ? encode_png(image) : encode_jpeg(image, config.jpeg_quality));
  }
}

}  // namespace facemae
