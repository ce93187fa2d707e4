#include "trainer/apply/onnx_network.h"

#include <torch/torch.h>

#include "core/error.h"
#include "core/log.h"
#include "evaluation/onnx/onnx_embedder.h"

namespace facemae {
namespace {

struct OnnxNetwork final : RecognitionNetwork {
  explicit OnnxNetwork(NamedEmbedder named) : embedder(std::move(named)) {}
  torch::Tensor forward(const torch::Tensor& images) override {
    const auto rows = embedder.embed(images);
    if (rows.size(1) != kEmbeddingWidth)
      throw ConfigError(fmt::format("the network {} gives {} values, embeddings here have {}", embedder.name,
                                    rows.size(1), kEmbeddingWidth));
    return rows.to(images.device());
  }
  void initialise(std::uint64_t) override {
    throw ConfigError("the network " + embedder.name + " is a finished one and cannot be trained");
  }
  NamedEmbedder embedder;
};

}  // namespace

std::shared_ptr<RecognitionNetwork> onnx_network(const std::string& word) {
  return std::make_shared<OnnxNetwork>(onnx_embedder(word));
}

}  // namespace facemae
