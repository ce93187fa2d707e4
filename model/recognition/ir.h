#pragma once
// Defines ir, the residual networks that AdaFace, CVLface and TFace train ("IR-18" to "IR-101"), with their keys and
// numerics. They are no renamed iresnets: where a block keeps the width, its shortcut is the input itself, subsampled
// where the block has a stride; Dropout lies before the linear layer; the last norm has neither scale nor shift.
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "model/recognition/batch_norm.h"
#include "model/recognition/recognition.h"

namespace facemae {

struct IrConfig {
  std::array<int, 4> blocks = {2, 2, 2, 2};
  std::array<std::int64_t, 4> widths = {64, 128, 256, 512};  ///< of the four stages; the stem has widths[0]
};
IrConfig ir18();
IrConfig ir34();
IrConfig ir50();
IrConfig ir101();

/// BN, conv 3x3, BN, PReLU, conv 3x3 (stride), BN; plus the input, projected where the width changes.
struct IrBlock : torch::nn::Module {
  IrBlock(std::int64_t in, std::int64_t out, std::int64_t stride);
  torch::Tensor forward(const torch::Tensor& x);

  std::int64_t stride;
  torch::nn::Sequential shortcut_layer{nullptr};  ///< only where the widths differ
  torch::nn::Sequential res_layer{nullptr};
};

class IrNet final : public RecognitionNetwork {
 public:
  explicit IrNet(const IrConfig& config, const NetworkOptions& options = {});
  torch::Tensor forward(const torch::Tensor& images) override { return forward_drawn(images, {}); }
  torch::Tensor forward_drawn(const torch::Tensor& images, const torch::Tensor& keys) override;
  bool draws() const override { return dropout_ > 0; }
  std::int64_t width() const override { return linear_->options.out_features(); }
  void initialise(std::uint64_t seed) override;

 private:
  torch::nn::Conv2d stem_;
  torch::nn::Sequential input_layer_{nullptr};
  BatchNorm norm_{nullptr};
  torch::nn::Linear linear_{nullptr};
  BatchNorm last_{nullptr};
  std::vector<std::shared_ptr<IrBlock>> blocks_;
  double dropout_;
  bool recomputes_;
};

}  // namespace facemae
