#pragma once
// A network in an ONNX file where one of our own is expected.
#include <memory>
#include <string>

#include "model/recognition/recognition.h"

namespace facemae {

/// Of a word as evaluation/onnx/onnx_choice.h has it. It cannot be trained, computes on the CPU, and its output is moved to
/// the device of the images. It is tried on a picture, for the number of its values. Throws ConfigError as
/// onnx_embedder() does.
std::shared_ptr<RecognitionNetwork> onnx_network(const std::string& word);

}  // namespace facemae
