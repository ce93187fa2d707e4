#include "model/common/recomputed.h"

#include <ATen/autocast_mode.h>
#include <torch/torch.h>

#include <utility>

namespace facemae {
namespace {

/// Keeps a block alive inside an autograd context.
struct BlockHolder : torch::CustomClassHolder {
  BlockHolder(Block held, std::vector<torch::Tensor> its)
      : block(std::move(held)), parameters(std::move(its)) {}
  Block block;
  std::vector<torch::Tensor> parameters;
};

/// Autocast as it was in the forward pass, with its cache off: the cache would hand weights that were cast
/// without a graph to the pass that needs one.
class AutocastAs {
 public:
  AutocastAs(at::DeviceType device, bool enabled, at::ScalarType type)
      : device_(device),
        enabled_(at::autocast::is_autocast_enabled(device)),
        cache_(at::autocast::is_autocast_cache_enabled()),
        type_(at::autocast::get_autocast_dtype(device)) {
    set(enabled, false, type);
  }
  ~AutocastAs() { set(enabled_, cache_, type_); }
  AutocastAs(const AutocastAs&) = delete;
  AutocastAs& operator=(const AutocastAs&) = delete;

 private:
  void set(bool enabled, bool cache, at::ScalarType type) const {
    at::autocast::set_autocast_enabled(device_, enabled);
    at::autocast::set_autocast_cache_enabled(cache);
    at::autocast::set_autocast_dtype(device_, type);
  }
  at::DeviceType device_;
  bool enabled_, cache_;
  at::ScalarType type_;
};

thread_local bool second_pass = false;

class SecondPass {
 public:
  SecondPass() : before_(std::exchange(second_pass, true)) {}
  ~SecondPass() { second_pass = before_; }
  SecondPass(const SecondPass&) = delete;
  SecondPass& operator=(const SecondPass&) = delete;

 private:
  bool before_;
};

/// Takes the block's parameters as inputs too, so that their gradients leave through the ordinary graph:
/// accumulation hooks fire as for any other layer.
struct Recompute : torch::autograd::Function<Recompute> {
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                               torch::TensorList /*parameters*/,
                               const c10::intrusive_ptr<BlockHolder>& holder) {
    const auto device = x.device().type();
    const bool autocast = at::autocast::is_autocast_enabled(device);
    const auto type = at::autocast::get_autocast_dtype(device);
    context->save_for_backward({x});
    context->saved_data["block"] = c10::IValue::make_capsule(holder);
    context->saved_data["autocast"] = autocast;
    context->saved_data["type"] = static_cast<std::int64_t>(type);
    const AutocastAs scope(device, autocast, type);
    const torch::NoGradGuard no_grad;
    return holder->block(x);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& cotangents) {
    const auto holder =
        c10::static_intrusive_pointer_cast<BlockHolder>(context->saved_data["block"].toCapsule());
    const auto x = context->get_saved_variables()[0].detach().requires_grad_();
    const AutocastAs scope(x.device().type(), context->saved_data["autocast"].toBool(),
                           static_cast<at::ScalarType>(context->saved_data["type"].toInt()));
    const torch::AutoGradMode grad(true);
    const SecondPass again;
    const auto result = holder->block(x);
    torch::autograd::variable_list wanted{x};
    const auto& parameters = holder->parameters;
    for (const auto& parameter : parameters)
      if (parameter.requires_grad()) wanted.push_back(parameter);
    const auto found = torch::autograd::grad({result}, wanted, {cotangents[0]});
    torch::autograd::variable_list gradients{found[0]};
    std::size_t next = 1;
    for (const auto& parameter : parameters)
      gradients.push_back(parameter.requires_grad() ? found[next++] : torch::Tensor());
    gradients.emplace_back();  // the block itself
    return gradients;
  }
};

}  // namespace

bool recomputing() { return second_pass; }

torch::Tensor recomputed(const Block& block, const std::vector<torch::Tensor>& parameters,
                         const torch::Tensor& x) {
  if (!torch::GradMode::is_enabled()) return block(x);
  return Recompute::apply(x, torch::TensorList(parameters),
                          c10::make_intrusive<BlockHolder>(block, parameters));
}

}  // namespace facemae
