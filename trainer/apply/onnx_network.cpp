#include "trainer/apply/onnx_network.h"

#include <torch/torch.h>

#include "core/error.h"
#include "evaluation/onnx/onnx_embedder.h"

namespace facemae {
namespace {

struct OnnxNetwork final : RecognitionNetwork {
  explicit OnnxNetwork(NamedEmbedder named)
      : embedder(std::move(named)), values(embedder.embed(torch::zeros({1, 3, 112, 112})).size(1)) {}
  std::int64_t width() const override { return values; }
  torch::Tensor forward(const torch::Tensor& images) override {
    return embedder.embed(images).to(images.device());
  }
  void initialise(std::uint64_t) override {
    throw ConfigError("the network " + embedder.name + " is a finished one and cannot be trained");
  }
  NamedEmbedder embedder;
  std::int64_t values;  ///< of an embedding
};

}  // namespace

std::shared_ptr<RecognitionNetwork> onnx_network(const std::string& word) {
  return std::make_shared<OnnxNetwork>(onnx_embedder(word));
}

}  // namespace facemae
