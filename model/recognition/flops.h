#pragma once
// How much recognition networks and the softmax over classes compute (model/common/flops.h).
#include <cstdint>
#include <string>

#include "model/common/flops.h"
#include "model/recognition/face_vit.h"
#include "model/recognition/ir.h"
#include "model/recognition/iresnet.h"
#include "model/recognition/mobilefacenet.h"

namespace facemae {

/// Of an image of 112 x 112. A ViT's blocks see the tokens that are not masked.
Flops flops_of(const IResNetConfig& config, std::int64_t embedding = kEmbeddingWidth);
Flops flops_of(const IrConfig& config, std::int64_t embedding = kEmbeddingWidth);
Flops flops_of(const MobileFaceNetConfig& config, std::int64_t embedding = kEmbeddingWidth);
Flops flops_of(const FaceVitConfig& config, std::int64_t embedding = kEmbeddingWidth);
/// By the name of its kind; nothing for another name. As it is used, for NetworkOptions::drawing_nothing().
Flops network_flops(const std::string& name, const NetworkOptions& options = {});

/// Cosines of an embedding with all classes, whichever ranks hold them, forward and backward.
constexpr double softmax_flops(std::int64_t classes, std::int64_t embedding = kEmbeddingWidth) {
  return 3 * product_flops(1, static_cast<double>(embedding), static_cast<double>(classes));
}

}  // namespace facemae
