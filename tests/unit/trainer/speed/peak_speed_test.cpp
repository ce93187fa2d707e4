#include "trainer/speed/peak_speed.h"

#include <gtest/gtest.h>

namespace facemae {
namespace {

TEST(PeakSpeed, KnowsGpusByTheNamesThatDriversGiveThem) {
  EXPECT_EQ(peak_speed("NVIDIA A100-SXM4-80GB", "bfloat16"), 312e12);
  EXPECT_EQ(peak_speed("NVIDIA A100-SXM4-80GB", "float32"), 19.5e12);
  EXPECT_EQ(peak_speed("NVIDIA A10", "bfloat16"), 125e12) << "no A100";
  EXPECT_EQ(peak_speed("NVIDIA H100 80GB HBM3", "bfloat16"), 989.4e12);
  EXPECT_EQ(peak_speed("NVIDIA H100 PCIe", "tf32"), 378e12);
  EXPECT_EQ(peak_speed("NVIDIA H200", "bfloat16"), 989.4e12);
  EXPECT_EQ(peak_speed("NVIDIA GH200 480GB", "tf32"), 494.7e12);
  EXPECT_EQ(peak_speed("NVIDIA L40S", "bfloat16"), 362e12);
  EXPECT_EQ(peak_speed("NVIDIA L4", "bfloat16"), 121e12);
  EXPECT_EQ(peak_speed("Tesla V100-PCIE-16GB", "float32"), 14e12);
  EXPECT_EQ(peak_speed("Tesla V100-SXM2-32GB", "float32"), 15.7e12);
  EXPECT_EQ(peak_speed("NVIDIA B200", "bfloat16"), 2250e12);
}

TEST(PeakSpeed, ClaimsNothingThatNobodyStates) {
  EXPECT_FALSE(peak_speed("", "float32")) << "a CPU";
  EXPECT_FALSE(peak_speed("NVIDIA Z900", "bfloat16"));
  EXPECT_FALSE(peak_speed("Tesla V100-SXM2-32GB", "bfloat16")) << "it has none";
}

}  // namespace
}  // namespace facemae
