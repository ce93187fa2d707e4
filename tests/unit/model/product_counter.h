#pragma once
// Counts what LibTorch really computes: the shapes of its matrix products, convolutions and attentions, forward and
// backward, while it lives.
#include <ATen/record_function.h>
#include <torch/torch.h>

namespace facemae::test {

class ProductCounter {
 public:
  ProductCounter() {
    total() = 0;
    handle_ = at::addGlobalCallback(at::RecordFunctionCallback(&begun, &ended)
                                        .needsInputs(true)
                                        .needsOutputs(true)
                                        .scopes({at::RecordScope::FUNCTION}));
  }
  ~ProductCounter() { at::removeCallback(handle_); }
  ProductCounter(const ProductCounter&) = delete;
  ProductCounter& operator=(const ProductCounter&) = delete;
  double flops() const { return total(); }

 private:
  static double& total() {
    static double flops = 0;
    return flops;
  }
  /// What a convolution does for each value that comes out.
  struct Convolution : at::ObserverContext {
    double of_value = 0;
  };
  /// Inputs are seen as a call begins, outputs as it ends.
  static std::unique_ptr<at::ObserverContext> begun(const at::RecordFunction& call) {
    const std::string name = call.name();
    const auto inputs = call.inputs();
    const auto tensor = [&](std::size_t i) { return inputs[i].toTensor(); };
    const auto values = [](const torch::Tensor& of) { return static_cast<double>(of.numel()); };
    const auto of_value = [&](const torch::Tensor& weight) {
      return 2 * values(weight) / static_cast<double>(weight.size(0));
    };
    if (name == "aten::mm" || name == "aten::bmm")
      total() += 2 * values(tensor(0)) * static_cast<double>(tensor(1).size(-1));
    if (name == "aten::addmm" || name == "aten::baddbmm")
      total() += 2 * values(tensor(1)) * static_cast<double>(tensor(2).size(-1));
    if (name == "aten::convolution_backward") {
      const auto wanted = inputs[10].toBoolList();
      total() += ((wanted[0] ? 1 : 0) + (wanted[1] ? 1 : 0)) * values(tensor(0)) * of_value(tensor(2));
    }
    // Two products of [T, d] with T tokens in all heads, and in backward a gradient of each factor.
    if (name == "aten::_scaled_dot_product_flash_attention_for_cpu")
      total() += 4 * values(tensor(0)) * static_cast<double>(tensor(1).size(2));
    if (name == "aten::_scaled_dot_product_flash_attention_for_cpu_backward")
      total() += 8 * values(tensor(1)) * static_cast<double>(tensor(2).size(2));
    if (name != "aten::convolution") return nullptr;
    auto convolution = std::make_unique<Convolution>();
    convolution->of_value = of_value(tensor(1));
    return convolution;
  }
  static void ended(const at::RecordFunction& call, at::ObserverContext* context) {
    if (const auto* convolution = dynamic_cast<const Convolution*>(context))
      total() += convolution->of_value * static_cast<double>(call.outputs()[0].toTensor().numel());
  }

  at::CallbackHandle handle_;
};

}  // namespace facemae::test
