#include "evaluation/onnx/onnx_net.h"

#include <opencv2/dnn.hpp>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

/// OpenCV would print what it throws.
int say_nothing(int, const char*, const char*, const char*, int, void*) { return 0; }

}  // namespace

struct OnnxNet::Net {
  Path file;
  cv::dnn::Net net;
};

bool runs_onnx() { return true; }

OnnxNet::OnnxNet(const Path& file, int threads) : net_(std::make_unique<Net>()) {
  if (!std::filesystem::is_regular_file(file))
    throw ConfigError("opening the network " + file.string() + ": there is no such file");
  cv::redirectError(say_nothing);
  cv::setNumThreads(threads);
  net_->file = file;
  try {
    net_->net = cv::dnn::readNetFromONNX(file.string());
    net_->net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
    net_->net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
  } catch (const cv::Exception& error) {
    throw ConfigError(fmt::format(
        "opening the network {}: OpenCV {} does not understand it ({}); another program may write its embeddings as .npy, for --embedding",
        file.string(), CV_VERSION, error.err));
  }
}
OnnxNet::~OnnxNet() = default;
OnnxNet::OnnxNet(OnnxNet&&) noexcept = default;

std::vector<float> OnnxNet::run(std::span<const float> input, int side) {
  const int sizes[] = {1, 3, side, side};
  cv::Mat picture(4, sizes, CV_32F);
  std::copy(input.begin(), input.end(), picture.ptr<float>());
  try {
    net_->net.setInput(picture);
    const cv::Mat out = net_->net.forward();
    if (out.depth() != CV_32F || !out.isContinuous())
      throw ConfigError("running the network " + net_->file.string() + ": its output is not of float32");
    return {out.ptr<float>(), out.ptr<float>() + out.total()};
  } catch (const cv::Exception& error) {
    throw ConfigError(fmt::format("running the network {}: it does not take one picture of {} x {}: {}",
                                  net_->file.string(), side, side, error.err));
  }
}

}  // namespace facemae
