#pragma once
// What every back end demands of the tensors of a collective, checked in one place so that all refuse alike.
#include <torch/types.h>

#include <source_location>
#include <string>

namespace facemae {

/// Is `tensor` on `device`? There is one CPU, whatever index somebody gave it.
bool is_on(const torch::Tensor& tensor, torch::Device device);
/// Throws Error unless `tensor` is defined, contiguous and on `device`, the communicator's.
void check_tensor(const torch::Tensor& tensor, torch::Device device, const char* verb,
                  std::source_location at = std::source_location::current());
/// Throws Error unless `whole` holds `parts` times the elements of `part`, with equal
/// dtype, both on `device`.
void check_parts(const torch::Tensor& whole, const torch::Tensor& part, int parts, torch::Device device,
                 const char* verb, std::source_location at = std::source_location::current());
/// Throws Error unless 0 <= root < size.
void check_root(int root, int size, std::source_location at = std::source_location::current());

/// "all_reduce of Float [3, 4]": names a collective in messages.
std::string describe(const char* verb, const torch::Tensor& tensor);

}  // namespace facemae
