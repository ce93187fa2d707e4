#pragma once
// Recognition networks by name. Keys, shapes and numerics are those of insightface's arcface_torch, and of AdaFace, CVLface
// and TFace for ir...; input RGB 112 x 112, (x - 127.5) / 127.5.
#include <torch/nn.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/common/state.h"

namespace facemae {

/// Values of an embedding, unless a network is asked for others.
inline constexpr std::int64_t kEmbeddingWidth = 512;

struct RecognitionNetwork : torch::nn::Module {
  /// [B, 3, 112, 112] -> [B, width()]. Nothing is drawn.
  virtual torch::Tensor forward(const torch::Tensor& images) = 0;
  /// The same in training. What is drawn of a row (dropout, dropped paths, masked tokens) is a function of its key and of
  /// the layer: `keys` [B] int64 on the device of the images, by row_key().
  virtual torch::Tensor forward_drawn(const torch::Tensor& images, const torch::Tensor& /*keys*/) {
    return forward(images);
  }
  virtual bool draws() const { return false; }  ///< forward_drawn() reads keys
  virtual std::int64_t width() const { return kEmbeddingWidth; }
  /// Weights as upstream draws them, from a key: the same on every machine and rank.
  virtual void initialise(std::uint64_t seed) = 0;
};

/// Choices about a network beside its name. Probabilities are the network's own unless given.
struct NetworkOptions {
  std::int64_t embedding = kEmbeddingWidth;
  std::optional<double> drop_path = {};    ///< of the last block of a ViT; it rises linearly from 0
  std::optional<double> mask_tokens = {};  ///< fraction of a ViT's tokens
  std::optional<double> dropout = {};      ///< of the features before the last linear layer
  bool activation_checkpointing = false;

  /// For networks that are used, or taught without draws: nothing is dropped or masked.
  static NetworkOptions drawing_nothing(std::int64_t embedding = kEmbeddingWidth) {
    return {.embedding = embedding, .drop_path = 0, .mask_tokens = 0, .dropout = 0};
  }
};

/// A row of the table of networks, which is in recognition.cpp.
struct NetworkKind {
  const char* name;
  const char* help;
  std::shared_ptr<RecognitionNetwork> (*make)(const NetworkOptions&);
  /// Training steps in a given time with channels last over those with contiguous channels: on one thread of a CPU in
  /// float32, measured (docs/PERFORMANCE.md); 1 where it was not.
  double channels_last_gain;
  const char* last_norm;     ///< key of its running mean, which has a value for each of the embedding
  double parameters;         ///< roughly, with an embedding of 512 values
  bool has_paths = false;    ///< takes NetworkOptions::drop_path and mask_tokens
  bool has_dropout = false;  ///< takes NetworkOptions::dropout
};
std::span<const NetworkKind> network_kinds();
std::vector<std::string> network_names();
/// Throws ConfigError with the nearest name.
const NetworkKind& network_kind(const std::string& name);
std::shared_ptr<RecognitionNetwork> make_network(const std::string& name, const NetworkOptions& options = {});
/// Values of an embedding by weights of the network of that name; kEmbeddingWidth where they are not its.
std::int64_t embedding_width_of(const std::string& name,
                                const std::vector<std::pair<std::string, torch::Tensor>>& weights);

/// The memory format (model/common/layout.h) in which a network computes faster: on CPUs by the table; on GPUs channels
/// last where convolutions are reduced in precision, for that is how tensor cores take them (not measured here).
torch::MemoryFormat fastest_format(const std::string& network, torch::Device device, bool reduced);

}  // namespace facemae
