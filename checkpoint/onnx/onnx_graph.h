#pragma once
// A network as ONNX has it: nodes in the order in which they are computed, values by name.
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace facemae {

struct OnnxNode {
  using Attribute = std::variant<std::int64_t, float, std::vector<std::int64_t>>;
  std::string kind;  ///< "Conv", "Relu" ... of the operator set
  std::vector<std::string> inputs;
  std::string output;
  std::map<std::string, Attribute> attributes = {};
};

/// Values that are in the file: float32, or int64 for shapes and the like. The memory is the caller's.
struct OnnxConstant {
  std::string name;
  std::vector<std::int64_t> shape;
  bool integers = false;
  std::span<const std::byte> bytes;
};

/// Input or output, float32. A dimension of -1 is free.
struct OnnxValue {
  std::string name;
  std::vector<std::int64_t> shape;
};

struct OnnxGraph {
  std::string name;
  OnnxValue input, output;
  std::vector<OnnxNode> nodes;
  std::vector<OnnxConstant> constants;
  std::map<std::string, std::string> metadata;
};

inline constexpr std::int64_t kOnnxOperatorSet = 17;

/// The bytes of the file; free dimensions are called "batch". Throws ConfigError when it would be above 2 GiB, which the
/// format cannot hold in one file.
std::string onnx_file(const OnnxGraph& graph);

}  // namespace facemae
