#include "checkpoint/onnx/onnx_graph.h"

#include <spdlog/fmt/fmt.h>

#include "checkpoint/onnx/onnx.pb.h"
#include "core/error.h"
#include "core/program_version.h"

namespace facemae {
namespace {

constexpr std::int64_t kFormatVersion = 8;  ///< that goes with the operator set
constexpr int kFloat32 = 1, kInt64 = 7;
constexpr int kFloatAttribute = 1, kIntAttribute = 2, kIntsAttribute = 7;
constexpr std::size_t kMost = std::size_t{1} << 31;  ///< of a protobuf message

void fill(onnx::Attribute& into, const std::string& name, const OnnxNode::Attribute& value) {
  into.set_name(name);
  if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    into.set_i(*whole);
    into.set_type(kIntAttribute);
  } else if (const auto* real = std::get_if<float>(&value)) {
    into.set_f(*real);
    into.set_type(kFloatAttribute);
  } else {
    for (const auto each : std::get<std::vector<std::int64_t>>(value)) into.add_ints(each);
    into.set_type(kIntsAttribute);
  }
}

void fill(onnx::ValueInfo& into, const OnnxValue& value) {
  into.set_name(value.name);
  auto& tensor = *into.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(kFloat32);
  for (const auto size : value.shape) {
    auto& dimension = *tensor.mutable_shape()->add_dim();
    if (size < 0)
      dimension.set_dim_param("batch");
    else
      dimension.set_dim_value(size);
  }
}

}  // namespace

std::string onnx_file(const OnnxGraph& graph) {
  std::size_t bytes = 0;
  for (const auto& constant : graph.constants) bytes += constant.bytes.size();
  if (bytes + (std::size_t{16} << 20) > kMost)
    throw ConfigError(fmt::format(
        "{} has {:.2f} GB of weights, more than the 2 GB that an ONNX file can hold: write it with --to safetensors",
        graph.name, static_cast<double>(bytes) / 1e9));
  onnx::Model model;
  model.set_ir_version(kFormatVersion);
  model.set_producer_name("facemae");
  model.set_producer_version(program_version());
  model.add_opset_import()->set_version(kOnnxOperatorSet);
  for (const auto& [key, value] : graph.metadata) {
    auto& entry = *model.add_metadata_props();
    entry.set_key(key);
    entry.set_value(value);
  }
  auto& body = *model.mutable_graph();
  body.set_name(graph.name);
  fill(*body.add_input(), graph.input);
  fill(*body.add_output(), graph.output);
  for (const auto& constant : graph.constants) {
    auto& tensor = *body.add_initializer();
    tensor.set_name(constant.name);
    tensor.set_data_type(constant.integers ? kInt64 : kFloat32);
    for (const auto size : constant.shape) tensor.add_dims(size);
    tensor.set_raw_data(constant.bytes.data(), constant.bytes.size());
  }
  for (const auto& node : graph.nodes) {
    auto& into = *body.add_node();
    into.set_name(node.output);
    into.set_op_type(node.kind);
    for (const auto& input : node.inputs) into.add_input(input);
    into.add_output(node.output);
    for (const auto& [name, value] : node.attributes) fill(*into.add_attribute(), name, value);
  }
  // One text for one network: maps of the format, which have no order, are not in it.
  return model.SerializeAsString();
}

}  // namespace facemae
