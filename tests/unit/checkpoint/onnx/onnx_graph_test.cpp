#include "checkpoint/onnx/onnx_graph.h"

#include <gmock/gmock.h>

#include "core/error.h"

namespace facemae {
namespace {

OnnxGraph doubling() {
  static const float two = 2;
  return {.name = "doubling",
          .input = {"x", {-1, 3}},
          .output = {"y", {-1, 3}},
          .nodes = {{.kind = "Mul", .inputs = {"x", "two"}, .output = "y", .attributes = {}}},
          .constants =
              {{.name = "two", .shape = {}, .integers = false, .bytes = std::as_bytes(std::span(&two, 1))}},
          .metadata = {{"network", "none"}}};
}

TEST(OnnxGraph, IsWrittenWithTheNumbersOfOnnxsFormat) {
  const std::string file = onnx_file(doubling());
  EXPECT_EQ(file.substr(0, 2), "\x08\x08");  // version 8 of the format
  // A node: its inputs (field 1), its output (2), its name (3) and its operator (4).
  EXPECT_THAT(file, testing::HasSubstr("\x0a\x01x\x0a\x03two\x12\x01y\x1a\x01y\x22\x03Mul"));
  // A constant: its type (2) is float32, its name is field 8, its bytes are field 9.
  EXPECT_THAT(file, testing::HasSubstr(std::string("\x10\x01\x42\x03two\x4a\x04\0\0\0\x40", 13)));
  // The operator set (8) has a version (2).
  EXPECT_THAT(file, testing::HasSubstr("\x42\x02\x10\x11"));
}

TEST(OnnxGraph, IsRefusedWhenItIsLargerThanItsFormatCanHold) {
  auto graph = doubling();
  graph.constants[0].bytes = {graph.constants[0].bytes.data(), std::size_t{3} << 30};  // never read
  try {
    onnx_file(graph);
    FAIL() << "written";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("--to safetensors"));
  }
}

}  // namespace
}  // namespace facemae
