// In builds without OpenCV's dnn.
#include "core/error.h"
#include "evaluation/onnx/onnx_net.h"

namespace facemae {

struct OnnxNet::Net {};

bool runs_onnx() { return false; }

OnnxNet::OnnxNet(const Path& file, int) {
  throw ConfigError(
      "opening the network " + file.string() +
      ": this facemae was built without OpenCV's dnn, which runs ONNX files: scripts/setup.sh --onnx installs it "
      "(Debian: libopencv-dnn-dev), then scripts/build.sh; or let another program write embeddings as .npy and give these by --embedding");
}
OnnxNet::~OnnxNet() = default;
OnnxNet::OnnxNet(OnnxNet&&) noexcept = default;
std::vector<float> OnnxNet::run(std::span<const float>, int) { return {}; }

}  // namespace facemae
