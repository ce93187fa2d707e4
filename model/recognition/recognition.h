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
  /// Training steps in a given time with channels last over those with contiguous channels: on one thread of a CPU in
  /// float32, measured (docs/PERFORMANCE.md).
  double channels_last_gain;
};
std::span<const NetworkKind> network_kinds();
std::vector<std::string> network_names();
/// Throws ConfigError with the nearest name.
std::shared_ptr<RecognitionNetwork> make_network(const std::string& name);

/// The memory format (model/common/layout.h) in which a network computes faster: on CPUs by the table; on GPUs channels
/// last where convolutions are reduced in precision, for that is how tensor cores take them (not measured here).
torch::MemoryFormat fastest_format(const std::string& network, torch::Device device, bool reduced);

}  // namespace facemae
