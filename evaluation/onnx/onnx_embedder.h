#pragma once
// A face embedder that others trained, from an ONNX file.
#include <string>

#include "evaluation/attacks/audit.h"
#include "evaluation/onnx/onnx_choice.h"

namespace facemae {

/// images [B, 3, H, W] float32 in -1..1 -> [B, 3, size, size] as the network takes them: resized (bilinear, antialiased)
/// when they have another size, channels in its order, centred and scaled.
torch::Tensor onnx_input(const torch::Tensor& images, const OnnxInput& input);

/// Of a word as onnx_choice() reads it. The name has the file's name and a hash of its bytes. Embeddings are of pictures
/// one by one, on the CPU. Throws ConfigError as OnnxNet does; its embed() also when pictures give different numbers of
/// values.
NamedEmbedder onnx_embedder(const std::string& word);

}  // namespace facemae
