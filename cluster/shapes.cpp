#include "cluster/shapes.h"

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

void check_tensor(const torch::Tensor& tensor, const char* verb, std::source_location at) {
  if (!tensor.defined()) throw Error(std::string(verb) + ": the tensor is undefined", at);
  if (!tensor.is_contiguous())
    throw Error(std::string(verb) + ": the tensor " + describe(tensor) +
                    " is not contiguous; call contiguous() first",
                at);
}

void check_parts(const torch::Tensor& whole, const torch::Tensor& part, int parts, const char* verb,
                 std::source_location at) {
  check_tensor(whole, verb, at);
  check_tensor(part, verb, at);
  if (whole.scalar_type() != part.scalar_type() || whole.device() != part.device() ||
      whole.numel() != part.numel() * parts)
    throw Error(std::string(verb) + " over " + std::to_string(parts) + " ranks: " + describe(whole) +
                    " must hold that many times " + describe(part) + ", with equal type and device",
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
