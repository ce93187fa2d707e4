#include "trainer/config/decay.h"

#include "core/error.h"

namespace facemae {
namespace {

/// By its key: the last part of "blocks.0.pos_embed".
bool is_token_or_position(const std::string& key) {
  const std::string name = key.substr(key.rfind('.') + 1);
  return name.ends_with("token") || name.ends_with("pos_embed");
}

bool decays(Decay decay, const std::string& key, const torch::Tensor& value) {
  if (decay == Decay::All) return true;
  const bool matrix = value.dim() > 1;
  return decay == Decay::Matrices ? matrix : matrix && !is_token_or_position(key);
}

}  // namespace

Decay decay_named(const std::string& name, Decay own) {
  if (name.empty()) return own;
  if (name == "all") return Decay::All;
  if (name == "weights") return Decay::Weights;
  throw ConfigError("--decay " + name + " is unknown: use all or weights");
}

std::vector<Parameter> trained_parameters(const torch::nn::Module& module, Decay decay,
                                          const std::string& prefix) {
  std::vector<Parameter> trained;
  for (const auto& item : module.named_parameters())
    if (item.value().requires_grad())
      trained.push_back({prefix + item.key(), item.value(), decays(decay, item.key(), item.value())});
  return trained;
}

}  // namespace facemae
