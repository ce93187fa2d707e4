#include "cluster/tensors/shapes.h"

#include <sstream>

#include "core/error.h"

namespace facemae {
namespace {

std::string describe(const torch::Tensor& tensor) {
  std::ostringstream text;
  text << tensor.scalar_type() << ' ' << tensor.sizes() << " on " << tensor.device();
  return text.str();
}

}  // namespace

bool is_on(const torch::Tensor& tensor, torch::Device device) {
  return tensor.device().type() == device.type() &&
         (device.is_cpu() || !device.has_index() || tensor.device().index() == device.index());
}

void check_tensor(const torch::Tensor& tensor, torch::Device device, const char* verb,
                  std::source_location at) {
  if (!tensor.defined()) throw Error(std::string(verb) + ": the tensor is undefined", at);
  if (!tensor.is_contiguous())
    throw Error(std::string(verb) + ": the tensor " + describe(tensor) +
                    " is not contiguous; call contiguous() first",
                at);
  if (!is_on(tensor, device))
    throw Error(std::string(verb) + ": the tensor " + describe(tensor) +
                    " cannot be carried by a communicator of " + device.str() + "; move it there first",
                at);
}

void check_parts(const torch::Tensor& whole, const torch::Tensor& part, int parts, torch::Device device,
                 const char* verb, std::source_location at) {
  check_tensor(whole, device, verb, at);
  check_tensor(part, device, verb, at);
  if (whole.scalar_type() != part.scalar_type() || whole.numel() != part.numel() * parts)
    throw Error(std::string(verb) + " over " + std::to_string(parts) + " ranks: " + describe(whole) +
                    " must hold that many times " + describe(part) + ", with equal type",
                at);
}

void check_root(int root, int size, std::source_location at) {
  if (root < 0 || root >= size)
    throw Error(
        "broadcast: root " + std::to_string(root) + " is not a rank of 0.." + std::to_string(size - 1), at);
}

std::string describe(const char* verb, const torch::Tensor& tensor) {
  std::ostringstream text;
  text << verb << " of " << tensor.scalar_type() << ' ' << tensor.sizes();
  return text.str();
}

}  // namespace facemae
