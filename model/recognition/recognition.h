#pragma once
// Recognition networks by name. Keys, shapes and numerics are those of insightface's arcface_torch; input RGB
// 112 x 112, (x - 127.5) / 127.5; output 512 values.
#include <torch/nn.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/common/state.h"

namespace facemae {

struct RecognitionNetwork : torch::nn::Module {
  virtual torch::Tensor forward(const torch::Tensor& images) = 0;  ///< [B, 3, 112, 112] -> [B, 512]
  /// Weights as upstream draws them, from a key: the same on every machine and rank.
  virtual void initialise(std::uint64_t seed) = 0;
};

inline constexpr std::int64_t kEmbeddingWidth = 512;

/// A row of the table of networks, which is in recognition.cpp.
struct NetworkKind {
  const char* name;
  const char* help;
  std::shared_ptr<RecognitionNetwork> (*make)();
};
std::span<const NetworkKind> network_kinds();
std::vector<std::string> network_names();
/// Throws ConfigError with the nearest name.
std::shared_ptr<RecognitionNetwork> make_network(const std::string& name);

}  // namespace facemae
