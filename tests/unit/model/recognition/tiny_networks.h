#pragma once
// Small networks of every class, for tests to which size does not matter.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/random/keys.h"
#include "model/common/keyed_uniforms.h"
#include "model/recognition/face_vit.h"
#include "model/recognition/ir.h"
#include "model/recognition/iresnet.h"
#include "model/recognition/mobilefacenet.h"

namespace facemae::test {

struct TinyNetwork {
  std::string name;
  std::function<std::shared_ptr<RecognitionNetwork>(const NetworkOptions&)> make;
};

inline std::shared_ptr<RecognitionNetwork> tiny_vit(const NetworkOptions& options, int depth = 2) {
  return std::make_shared<FaceVit>(FaceVitConfig{.width = 32, .depth = depth}, options);
}

inline std::vector<TinyNetwork> tiny_networks() {
  return {
      {"iresnet", [](const auto& options) { return std::make_shared<IResNet>(iresnet_tiny(), options); }},
      {"ir",
       [](const auto& options) {
         return std::make_shared<IrNet>(IrConfig{{1, 2, 1, 1}, {8, 8, 16, 32}}, options);
       }},
      {"mobilefacenet",
       [](const auto& options) { return std::make_shared<MobileFaceNet>(MobileFaceNetConfig{}, options); }},
      {"vit", [](const auto& options) { return tiny_vit(options); }}};
}

inline torch::Tensor faces_of_noise(std::int64_t count, std::uint64_t seed = 1) {
  torch::manual_seed(seed);
  return torch::rand({count, 3, 112, 112}) * 2 - 1;
}

/// Keys as recognition training draws them.
inline torch::Tensor keys_from(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> keys;
  for (std::int64_t i = first; i < first + count; ++i)
    keys.push_back(
        static_cast<std::int64_t>(row_key(key_of(5, Purpose::Network, static_cast<std::uint64_t>(i)))));
  return torch::tensor(keys, torch::kInt64);
}

}  // namespace facemae::test
