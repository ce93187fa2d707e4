// Operators that run as the CPU's: found in LibTorch's own table, each by one boxed function.
#include "tests/rehearsal/operators.h"

#include <ATen/EmptyTensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/library.h>
#include <torch/torch.h>

#include <list>
#include <set>
#include <string_view>

#include "tests/rehearsal/counters.h"
#include "tests/rehearsal/device.h"
#include "tests/rehearsal/loan.h"

namespace facemae::rehearsal {
namespace {

using c10::DispatchKey;
using torch::Tensor;

/// Whose results depend on values, which the host must wait for on CUDA.
bool reads_values(std::string_view op) {
  static const std::set<std::string_view> all = {"aten::_local_scalar_dense",
                                                 "aten::nonzero",
                                                 "aten::nonzero_static",
                                                 "aten::masked_select",
                                                 "aten::equal",
                                                 "aten::_unique",
                                                 "aten::_unique2",
                                                 "aten::unique_dim",
                                                 "aten::unique_consecutive",
                                                 "aten::bincount",
                                                 "aten::repeat_interleave"};
  return all.contains(op);
}

/// As an index a mask is the places where it is true: a nonzero() within.
bool is_mask(const Tensor& index) {
  return index.defined() && (index.scalar_type() == torch::kBool || index.scalar_type() == torch::kByte);
}

/// A result that is a view, and no kernel at all.
bool is_view(const c10::FunctionSchema& schema) {
  return !schema.returns().empty() && schema.returns()[0].alias_info() != nullptr &&
         !schema.returns()[0].alias_info()->isWrite();
}

void come_to(c10::Device device) {
  touch(device.index());
  wait_for(c10::impl::VirtualGuardImpl(kType).getStream(device));
}

/// Lends the arguments; returns whether one of them is a mask as an index.
bool lend_arguments(Loan& loan, std::size_t arguments, torch::jit::Stack& stack) {
  bool mask = false;
  for (std::size_t i = stack.size() - arguments; i < stack.size(); ++i) {
    c10::IValue& value = stack[i];
    if (value.isTensor()) {
      value = loan.lend(value.toTensor());
    } else if (value.isTensorList()) {
      c10::List<Tensor> lent;
      for (const Tensor& given : value.toTensorVector()) lent.push_back(loan.lend(given));
      value = lent;
    } else if (value.isOptionalTensorList()) {
      c10::List<std::optional<Tensor>> lent;
      for (const std::optional<Tensor>& given : value.toOptionalTensorVector()) {
        mask = mask || (given && is_mask(*given));
        lent.push_back(given ? std::optional(loan.lend(*given, true)) : given);
      }
      value = lent;
    } else if (value.isDevice()) {
      if (value.toDevice().type() == kType) loan.expect_device(value.toDevice());
      value = c10::Device(torch::kCPU);
    }
  }
  return mask;
}

void take_results(Loan& loan, std::size_t results, torch::jit::Stack& stack) {
  for (std::size_t i = stack.size() - results; i < stack.size(); ++i) {
    if (stack[i].isTensor()) {
      stack[i] = loan.take_back(stack[i].toTensor());
    } else if (stack[i].isTensorList()) {
      c10::List<Tensor> taken;
      for (const Tensor& result : stack[i].toTensorVector()) taken.push_back(loan.take_back(result));
      stack[i] = taken;
    }
  }
}

/// The CPU's kernel of any operator.
void on_host(const c10::OperatorHandle& op, c10::DispatchKeySet, torch::jit::Stack* stack) {
  const auto& schema = op.schema();
  const std::string& name = schema.name();
  Loan loan(name);
  const bool mask = lend_arguments(loan, schema.arguments().size(), *stack);
  if (reads_values(name) || mask) count(name, &Counters::value_reads, &Counters::reads_of);
  if (name != "aten::_local_scalar_dense" && !is_view(schema))
    count(name, &Counters::launches, &Counters::launches_of);
  come_to(loan.device());
  {
    const at::AutoDispatchBelowADInplaceOrView below;
    op.redispatchBoxed(c10::DispatchKeySet(DispatchKey::CPU), stack);
  }
  loan.settle();
  take_results(loan, schema.returns().size(), *stack);
}

// ---- What a device must have of its own.

c10::Device device_of(std::optional<c10::Device> given) {
  const c10::impl::VirtualGuardImpl guard(kType);
  return given && given->has_index() ? *given : guard.getDevice();
}

Tensor empty(c10::SymIntArrayRef sizes, std::optional<torch::ScalarType> type, std::optional<c10::Layout>,
             std::optional<c10::Device> device, std::optional<bool> pinned,
             std::optional<c10::MemoryFormat> format) {
  TORCH_CHECK(!pinned.value_or(false), "only host memory can be pinned");
  const c10::DeviceGuard guard(device_of(device));
  return at::detail::empty_generic(C10_AS_INTARRAYREF_SLOW(sizes), c10::GetAllocator(kType),
                                   c10::DispatchKeySet(DispatchKey::PrivateUse1), c10::dtype_or_default(type),
                                   format);
}

Tensor empty_strided(c10::SymIntArrayRef sizes, c10::SymIntArrayRef strides,
                     std::optional<torch::ScalarType> type, std::optional<c10::Layout>,
                     std::optional<c10::Device> device, std::optional<bool> pinned) {
  TORCH_CHECK(!pinned.value_or(false), "only host memory can be pinned");
  const c10::DeviceGuard guard(device_of(device));
  return at::detail::empty_strided_generic(
      C10_AS_INTARRAYREF_SLOW(sizes), C10_AS_INTARRAYREF_SLOW(strides), c10::GetAllocator(kType),
      c10::DispatchKeySet(DispatchKey::PrivateUse1), c10::dtype_or_default(type));
}

/// Between the host and the device, and within the device.
Tensor copy_from(const Tensor& from, const Tensor& to, bool non_blocking) {
  const bool reads = from.device().type() == kType, writes = to.device().type() == kType;
  Loan source("aten::copy_"), target("aten::copy_");
  const Tensor host_from = reads ? source.lend(from) : from, host_to = writes ? target.lend(to) : to;
  if (reads) come_to(from.device());
  if (writes) come_to(to.device());
  if (reads && writes) {
    count("aten::copy_", &Counters::launches, &Counters::launches_of);
  } else {
    const Tensor& host = reads ? to : from;
    const bool pageable = !host.is_pinned();
    count_copy(reads ? &Counters::from_device : &Counters::to_device,
               static_cast<std::int64_t>(host.nbytes()), !non_blocking || pageable, pageable);
  }
  host_to.copy_(host_from);
  return to;
}

Tensor copy_from_and_resize(const Tensor& from, const Tensor& to) {
  to.resize_(from.sizes());
  return copy_from(from, to, false);
}

Tensor& set_storage(Tensor& self, c10::Storage source, c10::SymInt offset, c10::SymIntArrayRef sizes,
                    c10::SymIntArrayRef strides) {
  auto* const impl = self.unsafeGetTensorImpl();
  impl->set_storage_keep_dtype(std::move(source));
  impl->set_sizes_and_strides(C10_AS_INTARRAYREF_SLOW(sizes), C10_AS_INTARRAYREF_SLOW(strides),
                              offset.expect_int());
  return self;
}

Tensor& set_tensor(Tensor& self, const Tensor& source) {
  return set_storage(self, source.storage(), source.storage_offset(), source.sym_sizes(),
                     source.sym_strides());
}

void record_stream(Tensor& self, c10::Stream stream) { keep(self.storage(), stream); }

/// set_data() may make a tensor of the host one of the device, as Module::to() does, and CUDA can.
bool may_become(const Tensor&, const Tensor& other) { return other.layout() == c10::kStrided; }

/// Of the CPU's kernels; LibTorch makes it of smaller operators for devices that it does not know.
Tensor attention(const Tensor& query, const Tensor& key, const Tensor& value,
                 const std::optional<Tensor>& mask, double dropout, bool causal, std::optional<double> scale,
                 bool groups) {
  constexpr std::int64_t kFlash = 1;  // sdp::SDPBackend
  if (at::_fused_sdp_choice(query, key, value, mask, dropout, causal, scale, groups) == kFlash)
    return std::get<0>(
        at::_scaled_dot_product_flash_attention_for_cpu(query, key, value, dropout, causal, mask, scale));
  return std::get<0>(
      at::_scaled_dot_product_attention_math(query, key, value, mask, dropout, causal, {}, scale, groups));
}

/// These stay registered for ever, as LibTorch's own.
torch::Library& library(const char* space, DispatchKey key) {
  static auto* const all = new std::list<torch::Library>;
  return all->emplace_back(torch::Library::IMPL, space, key, __FILE__, __LINE__);
}

std::string name_of(const c10::OperatorName& op) {
  const std::string name = op.name.substr(op.name.find("::") + 2);
  return op.overload_name.empty() ? name : name + "." + op.overload_name;
}

}  // namespace

void register_operators() {
  auto& own = library("aten", DispatchKey::PrivateUse1);
  own.impl("empty.memory_format", TORCH_FN(empty));
  own.impl("empty_strided", TORCH_FN(empty_strided));
  own.impl("_copy_from", TORCH_FN(copy_from));
  own.impl("_copy_from_and_resize", TORCH_FN(copy_from_and_resize));
  own.impl("set_.source_Storage_storage_offset", TORCH_FN(set_storage));
  own.impl("set_.source_Tensor", TORCH_FN(set_tensor));
  own.impl("record_stream", TORCH_FN(record_stream));
  // These two are made of other operators elsewhere, above differentiation.
  for (auto* const level : {&own, &library("aten", DispatchKey::AutogradPrivateUse1)}) {
    level->impl("scaled_dot_product_attention", TORCH_FN(attention));
    level->impl("_has_compatible_shallow_copy_type", TORCH_FN(may_become));
  }

  const std::set<std::string> taken = {"empty.memory_format", "empty_strided", "set_.source_Tensor",
                                       "set_.source_Storage_storage_offset"};
  auto& dispatcher = c10::Dispatcher::singleton();
  for (const auto& op : dispatcher.getAllOpNames()) {
    const auto found = dispatcher.findOp(op);
    // Convolutions choose their kernel by the device, and know of this one no more than that it is unknown.
    const bool whole = op.name == "aten::convolution" || op.name == "aten::convolution_backward";
    const bool host =
        found && op.name.starts_with("aten::") && found->hasKernelForDispatchKey(DispatchKey::CPU);
    if ((host || (whole && op.overload_name.empty())) && !taken.contains(name_of(op)))
      own.impl(name_of(op).c_str(), torch::CppFunction::makeFromBoxedFunction<&on_host>());
  }
  library("_", DispatchKey::PrivateUse1).fallback(torch::CppFunction::makeFromBoxedFunction<&on_host>());
}

}  // namespace facemae::rehearsal
