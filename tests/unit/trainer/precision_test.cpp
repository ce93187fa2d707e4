#include "trainer/precision.h"

#include <ATen/Context.h>
#include <gtest/gtest.h>

#include "cluster/alone.h"
#include "tests/ranked/trainer/training_fixture.h"

namespace facemae {
namespace {

/// Both tasks set the process up for what they are told; LibTorch's own default leaves convolutions at tf32.
TEST(Precision, Float32MeansFloat32OnGpusToo) {
  AloneCommunicator alone;
  for (const bool recognition : {false, true}) {
    at::globalContext().setAllowTF32CuBLAS(true);
    at::globalContext().setAllowTF32CuDNN(true);
    const auto task = trials::make_task({.recognition = recognition}, alone);
    EXPECT_FALSE(at::globalContext().allowTF32CuBLAS());
    EXPECT_FALSE(at::globalContext().allowTF32CuDNN());
  }
  prepare(Precision::Tf32);
  EXPECT_TRUE(at::globalContext().allowTF32CuBLAS());
  EXPECT_TRUE(at::globalContext().allowTF32CuDNN());
  prepare(Precision::Float32);
}

}  // namespace
}  // namespace facemae
