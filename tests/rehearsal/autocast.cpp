// Autocast of the stand-in: the CPU's choice of operators and types.
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>
#include <torch/torch.h>

#include <set>
#include <string_view>

#include "tests/rehearsal/device.h"
#include "tests/rehearsal/operators.h"

namespace facemae::rehearsal {
namespace {

/// What CPUs compute in the lower precision; of the others that they know of, all but the last in float32.
const std::set<std::string_view> kLower = {"aten::conv1d",
                                           "aten::conv2d",
                                           "aten::conv3d",
                                           "aten::conv_tbc",
                                           "aten::conv_transpose1d",
                                           "aten::conv_transpose2d",
                                           "aten::conv_transpose3d",
                                           "aten::convolution",
                                           "aten::_convolution",
                                           "aten::bmm",
                                           "aten::mm",
                                           "aten::linalg_vecdot",
                                           "aten::baddbmm",
                                           "aten::addmm",
                                           "aten::addbmm",
                                           "aten::linear",
                                           "aten::_addmm_activation",
                                           "aten::matmul",
                                           "aten::prelu",
                                           "aten::scaled_dot_product_attention",
                                           "aten::_native_multi_head_attention",
                                           "aten::mkldnn_rnn_layer"};
const std::set<std::string_view> kWidest = {"aten::stack", "aten::cat", "aten::index_copy"};

torch::ScalarType widest(at::ArrayRef<c10::IValue> arguments) {
  auto type = at::autocast::get_autocast_dtype(kType);
  for (const auto& value : arguments) {
    if (value.isTensor()) type = at::autocast::prioritize(type, value.toTensor(), kType);
    if (value.isTensorList())
      for (const auto& tensor : value.toTensorVector()) type = at::autocast::prioritize(type, tensor, kType);
  }
  return type;
}

void cast_and_call(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack* stack) {
  const c10::impl::ExcludeDispatchKeyGuard once(c10::DispatchKey::AutocastPrivateUse1);
  const auto& name = op.schema().name();
  const auto arguments = torch::jit::last(*stack, op.schema().arguments().size());
  const auto type = kLower.contains(name)    ? at::autocast::get_autocast_dtype(kType)
                    : kWidest.contains(name) ? widest(arguments)
                                             : torch::kFloat32;
  const auto first = stack->size() - arguments.size();
  for (std::size_t i = first; i < stack->size(); ++i) {
    c10::IValue& value = (*stack)[i];
    if (value.isTensor()) {
      value = at::autocast::cached_cast(type, value.toTensor(), kType);
    } else if (value.isTensorList()) {
      c10::List<torch::Tensor> cast;
      for (const auto& tensor : value.toTensorVector())
        cast.push_back(at::autocast::cached_cast(type, tensor, kType));
      value = cast;
    }
  }
  op.callBoxed(stack);
}

}  // namespace

void register_autocast() {
  const auto key = c10::DispatchKey::AutocastPrivateUse1;
  // Both stay registered for ever, as LibTorch's own.
  static auto* const others = new torch::Library(torch::Library::IMPL, "_", key, __FILE__, __LINE__);
  static auto* const own = new torch::Library(torch::Library::IMPL, "aten", key, __FILE__, __LINE__);
  others->fallback(torch::CppFunction::makeFallthrough());
  auto& dispatcher = c10::Dispatcher::singleton();
  for (const auto& op : dispatcher.getAllOpNames()) {
    const auto found = dispatcher.findOp(op);
    if (!found || !op.name.starts_with("aten::") ||
        !found->hasKernelForDispatchKey(c10::DispatchKey::AutocastCPU))
      continue;
    const std::string name = op.name.substr(6) + (op.overload_name.empty() ? "" : "." + op.overload_name);
    own->impl(name.c_str(), torch::CppFunction::makeFromBoxedFunction<&cast_and_call>());
  }
}

}  // namespace facemae::rehearsal
