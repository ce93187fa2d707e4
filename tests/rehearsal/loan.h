#pragma once
// Tensors of the stand-in as tensors of the CPU, for the time of one operator.
#include <torch/types.h>

#include <map>
#include <string>
#include <vector>

namespace facemae::rehearsal {

/// Lends tensors of the device to a CPU kernel without a copy, and takes its results back: what it changed in
/// place, resized or viewed is the same tensor or memory as before.
class Loan {
 public:
  /// `op` is named in refusals.
  explicit Loan(std::string op) : op_(std::move(op)) {}

  /// As a tensor of the CPU over the same memory. Throws c10::Error, as CUDA's operators do, for a tensor of
  /// another device, unless it is a single number of the CPU; `host_too`: one of several indices, which CUDA fetches
  /// by itself (a copy that is counted).
  torch::Tensor lend(const torch::Tensor& tensor, bool host_too = false);
  /// After the kernel, once: sizes and memory of what was lent become what the kernel left.
  void settle();
  /// A result of the kernel as a tensor of the device.
  torch::Tensor take_back(const torch::Tensor& result);

  void expect_device(c10::Device device);
  /// Of the tensors lent or of expect_device(), else the calling thread's.
  c10::Device device() const;

 private:
  struct Lent {
    torch::Tensor device, host;
  };
  c10::Storage lend(const c10::Storage& storage);
  torch::Tensor on_device(const c10::Storage& storage, const torch::Tensor& like) const;

  std::string op_;
  std::optional<c10::Device> device_;
  std::vector<Lent> lent_;
  std::map<const c10::StorageImpl*, std::pair<c10::Storage, c10::Storage>>
      storages_;                                             ///< by the device's: both
  std::map<const c10::StorageImpl*, c10::Storage> of_host_;  ///< the device's, by the host's
};

}  // namespace facemae::rehearsal
