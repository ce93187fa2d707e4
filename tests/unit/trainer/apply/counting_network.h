#pragma once
// A recognition network whose embeddings can be told by hand, and which counts what it sees.
#include <torch/torch.h>

#include <chrono>
#include <thread>

#include "data/image/image.h"
#include "model/recognition/recognition.h"
#include "trainer/images/image_set.h"

namespace facemae::test {

/// Of a picture: its mean levels in 8 stripes from left to right, between -1 and 1; its mirror image has them backwards.
struct CountingNetwork final : RecognitionNetwork {
  torch::Tensor forward(const torch::Tensor& images) override {
    ++calls;
    rows += images.size(0);
    std::this_thread::sleep_for(delay);
    return images.mean(1).reshape({images.size(0), 112, 8, 14}).mean({1, 3});
  }
  void initialise(std::uint64_t) override {}
  std::int64_t calls = 0, rows = 0;
  std::chrono::milliseconds delay{0};
};

/// Picture i has one level in each stripe: i, i + 10, ... i + 70.
inline std::vector<std::byte> striped_picture(std::size_t i) {
  Image image{112, 112, {}};
  for (std::size_t at = 0; at < 112 * 112; ++at)
    image.pixels.insert(image.pixels.end(), 3, static_cast<std::uint8_t>(i + 10 * (at % 112 / 14)));
  return encode_png(image);
}

/// What the network makes of it.
inline torch::Tensor stripes_of(std::size_t i) {
  return (torch::arange(8, torch::kFloat32) * 10 + static_cast<double>(i) - 127.5) / 127.5;
}

}  // namespace facemae::test
