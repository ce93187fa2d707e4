// ONNX graphs of networks, computed node by node as ONNX's specification has its operators, written here once more.
#include "trainer/export/network_as_onnx.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <set>

#include "core/error.h"
#include "model/common/state.h"
#include "tests/relative.h"

namespace facemae {
namespace {

using Ints = std::vector<std::int64_t>;
using Values = std::map<std::string, torch::Tensor>;

Ints ints(const OnnxNode& node, const std::string& name) { return std::get<Ints>(node.attributes.at(name)); }
std::int64_t whole(const OnnxNode& node, const std::string& name, std::int64_t otherwise = 0) {
  const auto found = node.attributes.find(name);
  return found == node.attributes.end() ? otherwise : std::get<std::int64_t>(found->second);
}
Ints values_of(const torch::Tensor& x) {
  const auto flat = x.contiguous().view({-1});
  return {flat.data_ptr<std::int64_t>(), flat.data_ptr<std::int64_t>() + flat.numel()};
}

torch::Tensor of_convolution(const OnnxNode& node, const std::vector<torch::Tensor>& x) {
  const auto pads = ints(node, "pads");
  const auto padded = torch::constant_pad_nd(x[0], {pads[1], pads[3], pads[0], pads[2]});
  const auto strides = ints(node, "strides"), dilations = ints(node, "dilations");
  return at::conv2d(padded, x[1], x.size() > 2 ? x[2] : torch::Tensor(), at::IntArrayRef(strides),
                    at::IntArrayRef({0, 0}), at::IntArrayRef(dilations), whole(node, "group", 1));
}

/// (x - mean) / sqrt(variance + epsilon) scale + shift, a channel each.
torch::Tensor of_batch_norm(const OnnxNode& node, const std::vector<torch::Tensor>& x) {
  Ints shape(static_cast<std::size_t>(x[0].dim()), 1);
  shape[1] = -1;
  const auto a_channel = [&](std::size_t i) { return x[i].view(shape); };
  const float epsilon = std::get<float>(node.attributes.at("epsilon"));
  return (x[0] - a_channel(3)) / (a_channel(4) + epsilon).sqrt() * a_channel(1) + a_channel(2);
}

torch::Tensor of_layer_norm(const OnnxNode& node, const std::vector<torch::Tensor>& x) {
  const auto from = whole(node, "axis");
  Ints over;
  for (auto axis = from; axis < 0; ++axis) over.push_back(axis);
  const auto centred = x[0] - x[0].mean(over, true);
  const auto unit =
      centred / (centred.square().mean(over, true) + std::get<float>(node.attributes.at("epsilon"))).sqrt();
  return x.size() > 2 ? unit * x[1] + x[2] : unit * x[1];
}

torch::Tensor of_reshape(const torch::Tensor& x, Ints shape) {
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == 0) shape[i] = x.size(static_cast<std::int64_t>(i));
  return x.reshape(shape);
}

torch::Tensor of_slice(const std::vector<torch::Tensor>& x) {
  torch::Tensor part = x[0];
  const auto starts = values_of(x[1]), ends = values_of(x[2]), axes = values_of(x[3]),
             steps = values_of(x[4]);
  for (std::size_t i = 0; i < starts.size(); ++i) part = part.slice(axes[i], starts[i], ends[i], steps[i]);
  return part;
}

torch::Tensor result_of(const OnnxNode& node, const std::vector<torch::Tensor>& x) {
  if (node.kind == "Conv") return of_convolution(node, x);
  if (node.kind == "BatchNormalization") return of_batch_norm(node, x);
  if (node.kind == "LayerNormalization") return of_layer_norm(node, x);
  if (node.kind == "PRelu") return torch::where(x[0].lt(0), x[0] * x[1], x[0]);
  if (node.kind == "Add") return x[0] + x[1];
  if (node.kind == "Mul") return x[0] * x[1];
  if (node.kind == "MatMul") return x[0].matmul(x[1]);
  if (node.kind == "Gemm") {
    const auto product = x[0].matmul(whole(node, "transB") != 0 ? x[1].t() : x[1]);
    return x.size() > 2 ? product + x[2] : product;
  }
  if (node.kind == "Flatten") return x[0].reshape({x[0].size(0), -1});
  if (node.kind == "Clip") return torch::minimum(torch::maximum(x[0], x[1]), x[2]);
  if (node.kind == "Softmax") {
    const auto e = (x[0] - x[0].amax(whole(node, "axis", -1), true)).exp();
    return e / e.sum(whole(node, "axis", -1), true);
  }
  if (node.kind == "Transpose") return x[0].permute(ints(node, "perm"));
  if (node.kind == "Reshape") return of_reshape(x[0], values_of(x[1]));
  if (node.kind == "Gather") return x[0].select(whole(node, "axis"), x[1].item<std::int64_t>());
  if (node.kind == "Slice") return of_slice(x);
  if (node.kind == "MaxPool")
    return torch::max_pool2d(x[0], ints(node, "kernel_shape"), ints(node, "strides"), 0);
  if (node.kind == "Identity") return x[0];
  throw Error("the test knows no " + node.kind);
}

torch::Tensor computed(const OnnxGraph& graph, const torch::Tensor& images) {
  const torch::NoGradGuard no_grad;
  Values values = {{graph.input.name, images}};
  for (const auto& constant : graph.constants)
    values[constant.name] = torch::from_blob(const_cast<std::byte*>(constant.bytes.data()), constant.shape,
                                             constant.integers ? torch::kInt64 : torch::kFloat32);
  for (const auto& node : graph.nodes) {
    std::vector<torch::Tensor> inputs;
    for (const auto& name : node.inputs) inputs.push_back(values.at(name));
    values[node.output] = result_of(node, inputs);
  }
  return values.at(graph.output.name);
}

/// With statistics as if it had been trained.
std::shared_ptr<RecognitionNetwork> some_network(const std::string& name) {
  torch::manual_seed(5);
  auto network = make_network(name);
  network->initialise(3);
  const torch::NoGradGuard no_grad;
  for (auto& item : network->named_buffers())
    if (item.value().is_floating_point()) item.value().copy_(torch::rand_like(item.value()) * 0.5 + 0.75);
  for (auto& item : network->named_parameters())
    if (item.value().dim() == 1) item.value().add_(torch::rand_like(item.value()) * 0.2);
  network->eval();
  return network;
}

class NetworkAsOnnxTest : public testing::TestWithParam<const char*> {};

TEST_P(NetworkAsOnnxTest, ComputesWhatTheNetworkDoesForAnyNumberOfImages) {
  const auto network = some_network(GetParam());
  const auto onnx = network_as_onnx(*network, GetParam(), {});
  EXPECT_EQ(onnx.graph.output.shape, (Ints{-1, 512}));
  for (const std::int64_t images : {1, 5}) {
    const auto faces = torch::rand({images, 3, 112, 112}) * 2 - 1;
    const torch::NoGradGuard no_grad;
    const auto expected = network->forward(faces);
    EXPECT_THAT(computed(onnx.graph, faces), test::IsWithin(1e-5, expected)) << images;
  }
}

TEST_P(NetworkAsOnnxTest, HasTheWeightsUnderTheirKeys) {
  const auto network = some_network(GetParam());
  const auto onnx = network_as_onnx(*network, GetParam(), {});
  std::set<std::string> written;
  for (const auto& constant : onnx.graph.constants) {
    EXPECT_TRUE(written.insert(constant.name).second) << constant.name << " twice";
  }
  for (const auto& item : network->named_parameters())
    EXPECT_TRUE(item.key() == "mask_token" /* of training */ || written.contains(item.key()) ||
                written.contains(item.key() + ".transposed"))
        << item.key();
}

INSTANTIATE_TEST_SUITE_P(Networks, NetworkAsOnnxTest,
                         testing::Values("iresnet-tiny", "mobilefacenet", "ir18", "vit-t"),
                         [](const auto& network) {
                           std::string name = network.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace facemae
