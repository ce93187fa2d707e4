#pragma once
// A network in an ONNX file, run on the CPU by OpenCV's dnn where the program was built with it.
#include <memory>
#include <span>
#include <vector>

#include "core/files/files.h"

namespace facemae {

/// True where this build runs ONNX files.
bool runs_onnx();

/// One input of one picture at a time, since many files have a fixed batch of one. For one thread.
class OnnxNet {
 public:
  /// Computes with so many threads. Throws ConfigError: no such file, not to be understood, or a build without OpenCV,
  /// with what to do.
  OnnxNet(const Path& file, int threads);
  ~OnnxNet();
  OnnxNet(OnnxNet&&) noexcept;
  /// input [3, side, side]; returns all values of the output. Throws ConfigError when the network does not take it.
  std::vector<float> run(std::span<const float> input, int side);

 private:
  struct Net;
  std::unique_ptr<Net> net_;
};

}  // namespace facemae
