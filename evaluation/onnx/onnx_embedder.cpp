#include "evaluation/onnx/onnx_embedder.h"

#include <torch/torch.h>

#include <cstring>

#include "core/checksum.h"
#include "core/error.h"
#include "core/log.h"
#include "evaluation/onnx/onnx_net.h"

namespace facemae {
namespace {

torch::Tensor run_each(OnnxNet& net, const torch::Tensor& inputs, const Path& file) {
  torch::Tensor rows;
  for (std::int64_t i = 0; i < inputs.size(0); ++i) {
    const torch::Tensor one = inputs[i].contiguous();
    const auto values = net.run({one.const_data_ptr<float>(), static_cast<std::size_t>(one.numel())},
                                static_cast<int>(one.size(1)));
    const auto width = static_cast<std::int64_t>(values.size());
    if (!rows.defined()) rows = torch::empty({inputs.size(0), width});
    if (width != rows.size(1))
      throw ConfigError(fmt::format("running the network {}: one picture gave {} values, another one {}",
                                    file.string(), rows.size(1), width));
    std::memcpy(rows[i].data_ptr(), values.data(), values.size() * sizeof(float));
  }
  return rows;
}

}  // namespace

torch::Tensor onnx_input(const torch::Tensor& images, const OnnxInput& input) {
  namespace F = torch::nn::functional;
  auto pixels = images.to(torch::kCPU, torch::kFloat32) * 127.5 + 127.5;
  if (pixels.size(2) != input.size || pixels.size(3) != input.size)
    pixels = F::interpolate(pixels, F::InterpolateFuncOptions()
                                        .size(std::vector<std::int64_t>{input.size, input.size})
                                        .mode(torch::kBilinear)
                                        .align_corners(false)
                                        .antialias(true));
  if (input.bgr) pixels = pixels.flip({1});
  const auto channels = [](const std::array<double, 3>& values) {
    return torch::tensor({values[0], values[1], values[2]}, torch::kFloat32).view({1, 3, 1, 1});
  };
  return ((pixels - channels(input.mean)) / channels(input.scale)).contiguous();
}

NamedEmbedder onnx_embedder(const std::string& word) {
  const OnnxChoice choice = onnx_choice(word);
  const auto net = std::make_shared<OnnxNet>(choice.file, at::get_num_threads());
  const std::string hash = xxh128(bytes_of(read_file(choice.file))).hex();
  return {choice.file.filename().string() + " (" + hash.substr(0, 16) + ")",
          [net, choice](const torch::Tensor& images) {
            const auto inputs = onnx_input(images, choice.input);
            auto rows = run_each(*net, inputs, choice.file);
            if (choice.input.flip) rows += run_each(*net, inputs.flip({3}), choice.file);
            return rows;
          }};
}

}  // namespace facemae
