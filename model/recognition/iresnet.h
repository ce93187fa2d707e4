#pragma once
// Defines iresnet, the residual networks of ArcFace (Deng et al. 2019, arXiv 1801.07698, section 3.2), with
// the keys and numerics of arcface_torch, and our small iresnet-tiny.
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "model/recognition/batch_norm.h"
#include "model/recognition/recognition.h"
#include "model/recognition/slopes.h"

namespace facemae {

struct IResNetConfig {
  std::array<int, 4> blocks = {2, 2, 2, 2};
  std::array<std::int64_t, 4> widths = {64, 128, 256, 512};  ///< of the four stages; the stem has widths[0]
  /// What lies between the last 7 x 7 map and `fc`. False, as upstream: every pixel goes into fc. True,
  /// iresnet-tiny: a depthwise 7 x 7 convolution ("pool") first reduces each channel to one value, as in
  /// MobileFaceNet; otherwise fc would hold 3.2 M of the network's 3.5 M parameters.
  bool pool = false;
};
IResNetConfig iresnet18();
IResNetConfig iresnet34();
IResNetConfig iresnet50();
IResNetConfig iresnet100();
IResNetConfig iresnet200();
/// One block per stage, widths 16 to 128: 381,936 parameters, for CPUs and tests.
IResNetConfig iresnet_tiny();

/// BN, conv 3x3, BN, PReLU, conv 3x3 (stride), BN; plus the input, projected when the stride is 2.
struct IResNetBlock : torch::nn::Module {
  IResNetBlock(std::int64_t in, std::int64_t out, std::int64_t stride);
  torch::Tensor forward(const torch::Tensor& x);

  BatchNorm bn1, bn2, bn3;
  torch::nn::Conv2d conv1, conv2;
  Slopes prelu;
  torch::nn::Conv2d projection{nullptr};  ///< downsample.0, only where the stride is 2
  BatchNorm projection_norm{nullptr};
};

class IResNet final : public RecognitionNetwork {
 public:
  explicit IResNet(const IResNetConfig& config, const NetworkOptions& options = {});
  torch::Tensor forward(const torch::Tensor& images) override { return forward_drawn(images, {}); }
  torch::Tensor forward_drawn(const torch::Tensor& images, const torch::Tensor& keys) override;
  bool draws() const override { return dropout_ > 0; }
  std::int64_t width() const override { return fc_->options.out_features(); }
  void initialise(std::uint64_t seed) override;

 private:
  torch::nn::Conv2d conv1_;
  BatchNorm bn1_, bn2_;
  Slopes prelu_;
  std::vector<std::shared_ptr<IResNetBlock>> blocks_;
  torch::nn::Conv2d pool_{nullptr};
  torch::nn::Linear fc_;
  BatchNorm features_;
  double dropout_;
  bool recomputes_;
};

}  // namespace facemae
