#pragma once
// What stands in ONNX for an operation of LibTorch.
#include <torch/csrc/jit/ir/ir.h>
#include <torch/types.h>

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "checkpoint/onnx/onnx_graph.h"
#include "model/recognition/recognition.h"

namespace facemae {

/// An operation beside the same one of another number of images: what differs between them is that number.
struct TracedNode {
  const torch::jit::Node& node;
  const torch::jit::Node& twin;
};

/// Writes the nodes and constants of one network into a graph, and the tensors of the constants into `kept`.
class OnnxWriting {
 public:
  OnnxWriting(OnnxGraph& graph, std::deque<torch::Tensor>& kept, const RecognitionNetwork& network);
  /// Throws ConfigError for an operation that none in ONNX stands for.
  void add(const TracedNode& traced);

  void names(const torch::jit::Value& value, std::string name) { values_[&value] = std::move(name); }
  std::string name_of(const torch::jit::Value& value) const;

  // For what writes one operation.
  /// A value of the node: what was computed before, or a constant tensor or number.
  std::string input(const TracedNode& traced, std::size_t index);
  /// Constants of the node. A whole number that is the number of images is -1.
  torch::IValue constant(const TracedNode& traced, std::size_t index) const;
  std::int64_t whole(const TracedNode& traced, std::size_t index) const;
  std::vector<std::int64_t> wholes(const TracedNode& traced, std::size_t index) const;
  static bool is_none(const TracedNode& traced, std::size_t index);
  /// Number of dimensions.
  static std::int64_t dimensions(const TracedNode& traced, std::size_t index);
  static std::int64_t size(const TracedNode& traced, std::size_t index, std::int64_t dimension);
  static std::vector<std::int64_t> sizes(
      const TracedNode& traced);  ///< of the output; -1 for the number of images

  std::string tensor(const torch::Tensor& values, const std::string& variant = "");
  std::string numbers(const std::vector<std::int64_t>& values);  ///< int64 [n]
  std::string index(std::int64_t value);                         ///< int64 scalar
  std::string number(double value);                              ///< float32 scalar
  /// The name of its output.
  std::string node(const std::string& kind, std::vector<std::string> inputs,
                   std::map<std::string, OnnxNode::Attribute> attributes = {});

 private:
  std::string keep(std::string name, const torch::Tensor& values);

  OnnxGraph& graph_;
  std::deque<torch::Tensor>& kept_;
  std::set<std::string> written_;  ///< constants
  std::unordered_map<const torch::jit::Value*, std::string> values_;
  std::map<std::pair<const void*, std::int64_t>, std::string>
      keys_;  ///< of the network's tensors, by place and size
};

}  // namespace facemae
