#include "tests/rehearsal/loan.h"

#include <torch/torch.h>

#include "tests/rehearsal/counters.h"
#include "tests/rehearsal/device.h"

namespace facemae::rehearsal {
namespace {

/// The memory of a storage, which lives as long as the pointer.
c10::DataPtr borrow(const c10::Storage& storage, c10::Device as) {
  auto* const owner = new c10::Storage(storage);
  return {storage.mutable_data(), owner, [](void* given) { delete static_cast<c10::Storage*>(given); }, as};
}

c10::Storage storage_over(const c10::Storage& memory, c10::Device device) {
  return c10::make_intrusive<c10::StorageImpl>(c10::StorageImpl::use_byte_size_t(), memory.nbytes(),
                                               borrow(memory, device), c10::GetAllocator(device.type()),
                                               /*resizable=*/true);
}

torch::Tensor tensor_over(const c10::Storage& storage, c10::DispatchKey key, const torch::Tensor& like) {
  c10::Storage own = storage;
  auto tensor =
      at::detail::make_tensor<c10::TensorImpl>(std::move(own), c10::DispatchKeySet(key), like.dtype());
  tensor.unsafeGetTensorImpl()->set_sizes_and_strides(like.sizes(), like.strides(), like.storage_offset());
  return tensor;
}

bool same_shape(const torch::Tensor& a, const torch::Tensor& b) {
  return a.sizes() == b.sizes() && a.strides() == b.strides() && a.storage_offset() == b.storage_offset();
}

}  // namespace

void Loan::expect_device(c10::Device device) {
  if (!device.has_index()) device = {kType, static_cast<c10::DeviceIndex>(current_device())};
  TORCH_CHECK(!device_ || *device_ == device, op_,
              ": Expected all tensors to be on the same device, but found at "
              "least two devices, ",
              *device_, " and ", device);
  device_ = device;
}

c10::Device Loan::device() const {
  return device_.value_or(c10::Device(kType, static_cast<c10::DeviceIndex>(current_device())));
}

c10::Storage Loan::lend(const c10::Storage& storage) {
  const auto known = storages_.find(storage.unsafeGetStorageImpl());
  if (known != storages_.end()) return known->second.second;
  c10::Storage host = storage_over(storage, torch::kCPU);
  storages_.emplace(storage.unsafeGetStorageImpl(), std::pair(storage, host));
  of_host_.emplace(host.unsafeGetStorageImpl(), storage);
  return host;
}

torch::Tensor Loan::lend(const torch::Tensor& tensor, bool host_too) {
  if (!tensor.defined()) return tensor;
  if (tensor.device().type() != kType) {
    if (tensor.dim() == 0 && tensor.device().is_cpu()) return tensor;
    TORCH_CHECK(host_too && tensor.device().is_cpu(), op_,
                ": Expected all tensors to be on the same device, but "
                "found at least two devices, ",
                device(), " and ", tensor.device());
    count_copy(&Counters::to_device, static_cast<std::int64_t>(tensor.nbytes()), true, !tensor.is_pinned());
    return tensor;
  }
  expect_device(tensor.device());
  for (const auto& lent : lent_)
    if (lent.device.is_same(tensor)) return lent.host;
  lent_.push_back({tensor, tensor_over(lend(tensor.storage()), c10::DispatchKey::CPU, tensor)});
  return lent_.back().host;
}

void Loan::settle() {
  for (auto& [of_device, both] : storages_) {
    auto& [device, host] = both;
    if (host.data() != device.data())  // the kernel gave an output other memory
      device.set_data_ptr_noswap(borrow(host, device.device()));
    device.set_nbytes(host.nbytes());
  }
  for (auto& [device, host] : lent_)
    if (!same_shape(device, host))
      device.unsafeGetTensorImpl()->set_sizes_and_strides(host.sizes(), host.strides(),
                                                          host.storage_offset());
}

torch::Tensor Loan::on_device(const c10::Storage& storage, const torch::Tensor& like) const {
  return tensor_over(storage, c10::DispatchKey::PrivateUse1, like);
}

torch::Tensor Loan::take_back(const torch::Tensor& result) {
  if (!result.defined()) return result;
  for (const auto& lent : lent_)
    if (lent.host.is_same(result)) return lent.device;
  auto& storage = of_host_[result.storage().unsafeGetStorageImpl()];
  if (!storage) storage = storage_over(result.storage(), device());
  return on_device(storage, result);
}

}  // namespace facemae::rehearsal
