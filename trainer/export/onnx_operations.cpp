#include "trainer/export/onnx_operations.h"

#include <spdlog/fmt/ranges.h>
#include <torch/torch.h>

#include <cmath>

#include "core/error.h"
#include "model/common/state.h"
#include "trainer/export/traced_network.h"

namespace facemae {
namespace {

using Ints = std::vector<std::int64_t>;

/// The pads of both ends of each dimension.
Ints both_ends(const Ints& padding) {
  Ints ends = padding;
  ends.insert(ends.end(), padding.begin(), padding.end());
  return ends;
}

std::int64_t counted(std::int64_t dimension, std::int64_t of) {
  return dimension < 0 ? dimension + of : dimension;
}

Ints sizes_of(const torch::jit::Value& value) {
  return *value.type()->expectRef<c10::TensorType>().sizes().concrete_sizes();
}

std::string same(OnnxWriting& to, const TracedNode& op) { return to.input(op, 0); }

std::string convolution(OnnxWriting& to, const TracedNode& op, std::size_t groups) {
  std::vector<std::string> inputs = {to.input(op, 0), to.input(op, 1)};
  if (!OnnxWriting::is_none(op, 2)) inputs.push_back(to.input(op, 2));
  return to.node("Conv", std::move(inputs),
                 {{"strides", to.wholes(op, 3)},
                  {"pads", both_ends(to.wholes(op, 4))},
                  {"dilations", to.wholes(op, 5)},
                  {"group", to.whole(op, groups)}});
}
std::string conv2d(OnnxWriting& to, const TracedNode& op) { return convolution(to, op, 6); }
std::string general_convolution(OnnxWriting& to, const TracedNode& op) {
  if (to.constant(op, 6).toBool()) throw ConfigError("transposed convolutions are not written as ONNX");
  return convolution(to, op, 8);
}

std::string batch_norm(OnnxWriting& to, const TracedNode& op) {
  const auto mean = to.constant(op, 3).toTensor();
  const auto factor = [&](std::size_t index, double otherwise) {
    return OnnxWriting::is_none(op, index) ? to.tensor(torch::full_like(mean, otherwise))
                                           : to.input(op, index);
  };
  return to.node("BatchNormalization",
                 {to.input(op, 0), factor(1, 1), factor(2, 0), to.input(op, 3), to.input(op, 4)},
                 {{"epsilon", static_cast<float>(to.constant(op, 7).toDouble())}});
}

std::string layer_norm(OnnxWriting& to, const TracedNode& op) {
  std::vector<std::string> inputs = {to.input(op, 0), to.input(op, 2)};
  if (!OnnxWriting::is_none(op, 3)) inputs.push_back(to.input(op, 3));
  return to.node("LayerNormalization", std::move(inputs),
                 {{"axis", -static_cast<std::int64_t>(to.wholes(op, 1).size())},
                  {"epsilon", static_cast<float>(to.constant(op, 4).toDouble())}});
}

/// There slopes are of the shape of what they multiply, here one a channel.
std::string prelu(OnnxWriting& to, const TracedNode& op) {
  const auto slopes = to.constant(op, 1).toTensor();
  Ints shape(static_cast<std::size_t>(OnnxWriting::dimensions(op, 0) - 1), 1);
  shape[0] = slopes.size(0);
  return to.node("PRelu", {to.input(op, 0), to.tensor(slopes.view(shape))});
}

template <const char* kind>
std::string binary(OnnxWriting& to, const TracedNode& op) {
  if (op.node.inputs().size() > 2 && to.constant(op, 2).toScalar().toDouble() != 1)
    throw ConfigError("sums of multiples are not written as ONNX");
  return to.node(kind, {to.input(op, 0), to.input(op, 1)});
}
constexpr char kAdd[] = "Add", kMul[] = "Mul", kMatMul[] = "MatMul";

std::string flatten(OnnxWriting& to, const TracedNode& op) {
  const auto last = OnnxWriting::dimensions(op, 0) - 1;
  if (to.whole(op, 1) == 1 && counted(to.whole(op, 2), last + 1) == last)
    return to.node("Flatten", {to.input(op, 0)}, {{"axis", std::int64_t{1}}});
  return to.node("Reshape", {to.input(op, 0), to.numbers(OnnxWriting::sizes(op))});
}

/// Of a matrix, as LibTorch has the weights of linear layers.
std::string transposed_matrix(OnnxWriting& to, const TracedNode& op) {
  if (const auto values = constant_of(*op.node.input(0)))
    return to.tensor(values->toTensor().t(), "transposed");
  return to.node("Transpose", {to.input(op, 0)}, {{"perm", Ints{1, 0}}});
}

std::string sum_and_product(OnnxWriting& to, const TracedNode& op) {
  if (to.constant(op, 3).toScalar().toDouble() != 1 || to.constant(op, 4).toScalar().toDouble() != 1)
    throw ConfigError("sums of multiples are not written as ONNX");
  return to.node("Gemm", {to.input(op, 1), to.input(op, 2), to.input(op, 0)});
}

std::string clip(OnnxWriting& to, const TracedNode& op) {
  return to.node("Clip", {to.input(op, 0), to.input(op, 1), to.input(op, 2)});
}
std::string relu6(OnnxWriting& to, const TracedNode& op) {
  return to.node("Clip", {to.input(op, 0), to.number(0), to.number(6)});
}

std::string softmax(OnnxWriting& to, const TracedNode& op) {
  return to.node("Softmax", {to.input(op, 0)}, {{"axis", to.whole(op, 1)}});
}

std::string permute(OnnxWriting& to, const TracedNode& op) {
  return to.node("Transpose", {to.input(op, 0)}, {{"perm", to.wholes(op, 1)}});
}
std::string transpose(OnnxWriting& to, const TracedNode& op) {
  const auto count = OnnxWriting::dimensions(op, 0);
  Ints order;
  for (std::int64_t i = 0; i < count; ++i) order.push_back(i);
  std::swap(order[static_cast<std::size_t>(counted(to.whole(op, 1), count))],
            order[static_cast<std::size_t>(counted(to.whole(op, 2), count))]);
  return to.node("Transpose", {to.input(op, 0)}, {{"perm", order}});
}

std::string select(OnnxWriting& to, const TracedNode& op) {
  return to.node("Gather", {to.input(op, 0), to.index(to.whole(op, 2))}, {{"axis", to.whole(op, 1)}});
}

std::string slice(OnnxWriting& to, const TracedNode& op) {
  const auto or_else = [&](std::size_t index, std::int64_t otherwise) {
    return OnnxWriting::is_none(op, index) ? otherwise : to.whole(op, index);
  };
  return to.node("Slice", {to.input(op, 0), to.numbers({or_else(2, 0)}), to.numbers({or_else(3, INT64_MAX)}),
                           to.numbers({to.whole(op, 1)}), to.numbers({or_else(4, 1)})});
}

std::string max_pool(OnnxWriting& to, const TracedNode& op) {
  auto strides = to.wholes(op, 2);
  if (strides.empty()) strides = to.wholes(op, 1);
  return to.node("MaxPool", {to.input(op, 0)},
                 {{"kernel_shape", to.wholes(op, 1)},
                  {"strides", strides},
                  {"pads", both_ends(to.wholes(op, 3))},
                  {"dilations", to.wholes(op, 4)},
                  {"ceil_mode", std::int64_t{to.constant(op, 5).toBool()}}});
}

std::string reshape(OnnxWriting& to, const TracedNode& op) {
  return to.node("Reshape", {to.input(op, 0), to.numbers(to.wholes(op, 1))});
}

/// softmax(q k' / sqrt(width)) v over [images, heads, tokens, width].
std::string attention(OnnxWriting& to, const TracedNode& op) {
  if (!OnnxWriting::is_none(op, 3) || to.constant(op, 5).toBool())
    throw ConfigError("attention with a mask is not written as ONNX");
  const double width = static_cast<double>(OnnxWriting::size(op, 0, -1));
  const double scale =
      OnnxWriting::is_none(op, 6) ? 1 / std::sqrt(width) : to.constant(op, 6).toScalar().toDouble();
  const auto keys = to.node("Transpose", {to.input(op, 1)}, {{"perm", Ints{0, 1, 3, 2}}});
  const auto scores = to.node("MatMul", {to.node("Mul", {to.input(op, 0), to.number(scale)}), keys});
  return to.node("MatMul", {to.node("Softmax", {scores}, {{"axis", std::int64_t{-1}}}), to.input(op, 2)});
}

struct Operation {
  const char* name;
  std::string (*write)(OnnxWriting&, const TracedNode&);
};
constexpr Operation kOperations[] = {
    {"aten::conv2d", conv2d},
    {"aten::_convolution", general_convolution},
    {"aten::batch_norm", batch_norm},
    {"aten::layer_norm", layer_norm},
    {"aten::prelu", prelu},
    {"aten::add", binary<kAdd>},
    {"aten::add_", binary<kAdd>},
    {"aten::mul", binary<kMul>},
    {"aten::matmul", binary<kMatMul>},
    {"aten::t", transposed_matrix},
    {"aten::addmm", sum_and_product},
    {"aten::flatten", flatten},
    {"aten::hardtanh", clip},
    {"aten::relu6", relu6},
    {"aten::softmax", softmax},
    {"aten::scaled_dot_product_attention", attention},
    {"aten::max_pool2d", max_pool},
    {"aten::permute", permute},
    {"aten::transpose", transpose},
    {"aten::select", select},
    {"aten::slice", slice},
    {"aten::reshape", reshape},
    {"aten::view", reshape},
    // What changes where or in which type values lie: all are float32 here.
    {"aten::to", same},
    {"aten::contiguous", same},
    {"aten::dropout", same},
};

}  // namespace

OnnxWriting::OnnxWriting(OnnxGraph& graph, std::deque<torch::Tensor>& kept, const RecognitionNetwork& network)
    : graph_(graph), kept_(kept) {
  for (const auto& [key, tensor] : state_of(network)) keys_[{tensor.data_ptr(), tensor.numel()}] = key;
}

void OnnxWriting::add(const TracedNode& traced) {
  const std::string kind = traced.node.kind().toQualString();
  if (kind.starts_with("prim::")) return;  // constants and lists of them, which are read where they are used
  for (const auto& operation : kOperations)
    if (kind == operation.name) {
      names(*traced.node.output(), operation.write(*this, traced));
      return;
    }
  throw ConfigError("the network computes " + kind + ", which is not written as ONNX");
}

std::string OnnxWriting::name_of(const torch::jit::Value& value) const {
  const auto found = values_.find(&value);
  if (found == values_.end())
    throw ConfigError("a value of the network is neither computed from images nor a constant: " +
                      value.debugName());
  return found->second;
}

std::string OnnxWriting::input(const TracedNode& traced, std::size_t index) {
  const auto value = constant_of(*traced.node.input(index));
  if (value && value->isTensor()) return tensor(value->toTensor());
  if (!value || !value->isScalar()) return name_of(*traced.node.input(index));
  const double here = value->toScalar().toDouble();
  if (constant_of(*traced.twin.input(index))->toScalar().toDouble() != here)
    throw ConfigError(fmt::format("{} computes with the number of images, which is not written as ONNX",
                                  traced.node.kind().toQualString()));
  return number(here);
}

torch::IValue OnnxWriting::constant(const TracedNode& traced, std::size_t index) const {
  const auto value = constant_of(*traced.node.input(index));
  if (!value)
    throw ConfigError(
        fmt::format("argument {} of {} is no constant", index, traced.node.kind().toQualString()));
  return *value;
}

std::int64_t OnnxWriting::whole(const TracedNode& traced, std::size_t index) const {
  const auto value = constant(traced, index).toInt();
  return constant_of(*traced.twin.input(index))->toInt() == value ? value : -1;
}

std::vector<std::int64_t> OnnxWriting::wholes(const TracedNode& traced, std::size_t index) const {
  auto values = constant(traced, index).toIntVector();
  const auto others = constant_of(*traced.twin.input(index))->toIntVector();
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] != others.at(i)) values[i] = -1;
  return values;
}

bool OnnxWriting::is_none(const TracedNode& traced, std::size_t index) {
  const auto value = constant_of(*traced.node.input(index));
  return value && value->isNone();
}

std::int64_t OnnxWriting::dimensions(const TracedNode& traced, std::size_t index) {
  return static_cast<std::int64_t>(sizes_of(*traced.node.input(index)).size());
}
std::int64_t OnnxWriting::size(const TracedNode& traced, std::size_t index, std::int64_t dimension) {
  const auto sizes = sizes_of(*traced.node.input(index));
  return sizes[static_cast<std::size_t>(counted(dimension, static_cast<std::int64_t>(sizes.size())))];
}
std::vector<std::int64_t> OnnxWriting::sizes(const TracedNode& traced) {
  auto sizes = sizes_of(*traced.node.output());
  const auto others = sizes_of(*traced.twin.output());
  for (std::size_t i = 0; i < sizes.size(); ++i)
    if (sizes[i] != others.at(i)) sizes[i] = -1;
  return sizes;
}

std::string OnnxWriting::tensor(const torch::Tensor& values, const std::string& variant) {
  const auto known = keys_.find({values.data_ptr(), values.numel()});
  std::string name = known != keys_.end() ? known->second : fmt::format("constant_{}", kept_.size());
  if (!variant.empty()) name += "." + variant;
  return keep(std::move(name), values);
}
std::string OnnxWriting::numbers(const std::vector<std::int64_t>& values) {
  return keep(fmt::format("sizes_{}", fmt::join(values, "_")), torch::tensor(values, torch::kInt64));
}
std::string OnnxWriting::index(std::int64_t value) {
  return keep(fmt::format("index_{}", value), torch::tensor(value, torch::kInt64));
}
std::string OnnxWriting::number(double value) {
  return keep(fmt::format("number_{}", value), torch::tensor(value, torch::kFloat32));
}

std::string OnnxWriting::keep(std::string name, const torch::Tensor& values) {
  if (!written_.insert(name).second) return name;
  kept_.push_back(values.to(values.is_floating_point() ? torch::kFloat32 : torch::kInt64).contiguous());
  const auto& kept = kept_.back();
  graph_.constants.push_back({.name = name,
                              .shape = kept.sizes().vec(),
                              .integers = !kept.is_floating_point(),
                              .bytes = {static_cast<const std::byte*>(kept.data_ptr()), kept.nbytes()}});
  return name;
}

std::string OnnxWriting::node(const std::string& kind, std::vector<std::string> inputs,
                              std::map<std::string, OnnxNode::Attribute> attributes) {
  std::string output = fmt::format("{}_{}", kind, graph_.nodes.size());
  graph_.nodes.push_back(
      {.kind = kind, .inputs = std::move(inputs), .output = output, .attributes = std::move(attributes)});
  return output;
}

}  // namespace facemae
