#pragma once
// How users name a network in an ONNX file, and say what it takes for its input: nothing of that stands in the file in a
// form that could be relied on, and with a wrong guess an embedder is only a little worse.
#include <array>
#include <string>

#include "core/files/files.h"

namespace facemae {

/// The input is (pixel - mean) / scale with pixels of 0 to 255, of an image of size x size.
struct OnnxInput {
  int size = 0;
  bool bgr = false;
  std::array<double, 3> mean{}, scale{};  ///< in the order of the network's channels
  bool flip = false;                      ///< add the embedding of the mirrored image
};
struct OnnxChoice {
  Path file;
  OnnxInput input;
};

inline constexpr const char* kOnnxForm = "FILE.onnx:size=112,order=bgr,mean=127,scale=128";

/// Does a user's word name an ONNX file?
bool is_onnx(const std::string& word);

/// Of the form kOnnxForm: size (pixels), order (rgb or bgr), mean and scale are needed (one number, or three parted by
/// slashes); flip=yes may be added. Throws ConfigError with what is missing or wrong.
OnnxChoice onnx_choice(const std::string& word);

}  // namespace facemae
