#include "model/facemae/vit_block.h"

#include <ATen/autocast_mode.h>
#include <torch/torch.h>

namespace facemae {
namespace {

/// Keeps a block alive inside an autograd context.
struct BlockHolder : torch::CustomClassHolder {
  explicit BlockHolder(VitBlock held) : block(std::move(held)) {}
  VitBlock block;
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

/// Takes the block's parameters as inputs too, so that their gradients leave through the ordinary graph:
/// accumulation hooks fire as for any other layer.
struct Recompute : torch::autograd::Function<Recompute> {
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& tokens,
                               torch::TensorList /*parameters*/,
                               const c10::intrusive_ptr<BlockHolder>& holder) {
    const auto device = tokens.device().type();
    const bool autocast = at::autocast::is_autocast_enabled(device);
    const auto type = at::autocast::get_autocast_dtype(device);
    context->save_for_backward({tokens});
    context->saved_data["block"] = c10::IValue::make_capsule(holder);
    context->saved_data["autocast"] = autocast;
    context->saved_data["type"] = static_cast<std::int64_t>(type);
    const AutocastAs scope(device, autocast, type);
    const torch::NoGradGuard no_grad;
    return holder->block->forward(tokens);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& cotangents) {
    const auto holder =
        c10::static_intrusive_pointer_cast<BlockHolder>(context->saved_data["block"].toCapsule());
    const auto tokens = context->get_saved_variables()[0].detach().requires_grad_();
    const AutocastAs scope(tokens.device().type(), context->saved_data["autocast"].toBool(),
                           static_cast<at::ScalarType>(context->saved_data["type"].toInt()));
    const torch::AutoGradMode grad(true);
    const auto result = holder->block->forward(tokens);
    torch::autograd::variable_list wanted{tokens};
    const auto parameters = holder->block->parameters();
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

torch::nn::LayerNorm layer_norm(std::int64_t width) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({width}).eps(1e-6));
}

AttentionImpl::AttentionImpl(std::int64_t width, std::int64_t heads_of_block) : heads(heads_of_block) {
  qkv = register_module("qkv", torch::nn::Linear(width, 3 * width));
  proj = register_module("proj", torch::nn::Linear(width, width));
}

torch::Tensor AttentionImpl::forward(const torch::Tensor& tokens) {
  const auto images = tokens.size(0), count = tokens.size(1), width = tokens.size(2);
  const auto parts =
      qkv->forward(tokens).reshape({images, count, 3, heads, width / heads}).permute({2, 0, 3, 1, 4});
  const auto mixed = at::scaled_dot_product_attention(parts[0], parts[1], parts[2]);
  return proj->forward(mixed.transpose(1, 2).reshape({images, count, width}));
}

MlpImpl::MlpImpl(std::int64_t width, std::int64_t hidden) {
  fc1 = register_module("fc1", torch::nn::Linear(width, hidden));
  fc2 = register_module("fc2", torch::nn::Linear(hidden, width));
}

torch::Tensor MlpImpl::forward(const torch::Tensor& tokens) {
  return fc2->forward(torch::gelu(fc1->forward(tokens)));
}

VitBlockImpl::VitBlockImpl(std::int64_t width, std::int64_t heads) {
  norm1 = register_module("norm1", layer_norm(width));
  attn = register_module("attn", Attention(width, heads));
  norm2 = register_module("norm2", layer_norm(width));
  mlp = register_module("mlp", Mlp(width, 4 * width));
}

torch::Tensor VitBlockImpl::forward(const torch::Tensor& tokens) {
  const auto attended = tokens + attn->forward(norm1->forward(tokens));
  return attended + mlp->forward(norm2->forward(attended));
}

torch::Tensor recomputed(const VitBlock& block, const torch::Tensor& tokens) {
  const auto parameters = block->parameters();
  return Recompute::apply(tokens, torch::TensorList(parameters), c10::make_intrusive<BlockHolder>(block));
}

}  // namespace facemae
