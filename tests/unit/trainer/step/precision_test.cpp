#include "trainer/step/precision.h"

#include <ATen/Context.h>
#include <gtest/gtest.h>

#include "cluster/tensors/alone.h"
#include "core/error.h"
#include "tests/ranked/trainer/step/training_fixture.h"

namespace facemae {
namespace {

/// Both tasks set the process up for what they are told; LibTorch's own default leaves convolutions at tf32.
TEST(Precision, Float32MeansFloat32OnGpusToo) {
  AloneCommunicator alone;
  for (const bool recognition : {false, true}) {
    at::globalContext().setAllowTF32CuBLAS(true);
    at::globalContext().setAllowTF32CuDNN(true);
    const auto task = trials::make_task(trials::Trial{.recognition = recognition}, Parts::of_ranks(alone));
    EXPECT_FALSE(at::globalContext().allowTF32CuBLAS());
    EXPECT_FALSE(at::globalContext().allowTF32CuDNN());
  }
  prepare(Precision::Tf32);
  EXPECT_TRUE(at::globalContext().allowTF32CuBLAS());
  EXPECT_TRUE(at::globalContext().allowTF32CuDNN());
  prepare(Precision::Float32);
}

TEST(Precision, WhatABfloat16StepLeavesInFloat32MayBeTf32) {
  prepare(Precision::BFloat16, Remainder::Float32);
  EXPECT_FALSE(at::globalContext().allowTF32CuBLAS());
  prepare(Precision::BFloat16);
  EXPECT_TRUE(at::globalContext().allowTF32CuBLAS());
  EXPECT_TRUE(at::globalContext().allowTF32CuDNN());
  prepare(Precision::Float32, Remainder::Tf32);
  EXPECT_FALSE(at::globalContext().allowTF32CuBLAS()) << "float32 means float32";
}

TEST(Precision, OfLogitsByThemselvesIsTf32BesideReducedStepsOfGpus) {
  const torch::Device cpu(torch::kCPU), gpu(torch::kCUDA, 0);
  EXPECT_EQ(logit_precision_for("auto", Precision::BFloat16, cpu), Precision::Float32);
  EXPECT_EQ(logit_precision_for("auto", Precision::Float32, gpu), Precision::Float32);
  for (const auto reduced : {Precision::Tf32, Precision::BFloat16}) {
    EXPECT_EQ(logit_precision_for("auto", reduced, gpu), Precision::Tf32);
    EXPECT_EQ(logit_precision_for("float32", reduced, gpu), Precision::Float32);
  }
  EXPECT_EQ(logit_precision_for("bfloat16", Precision::Float32, cpu), Precision::BFloat16);
  EXPECT_EQ(logit_precision_for("tf32", Precision::Float32, gpu), Precision::Tf32);
  EXPECT_THROW(logit_precision_for("tf32", Precision::Float32, cpu), ConfigError);
}

TEST(Precision, WhatTheDeviceLacksIsRefused) {
  EXPECT_THROW(precision_for("tf32", torch::kCPU), ConfigError);
  EXPECT_EQ(precision_for("float32", torch::kCPU), Precision::Float32);
}

/// A step in bfloat16 goes where that of float32 goes, roughly, and its parameters stay float32.
TEST(Precision, BFloat16TrainsTheSameRoughly) {  // slowly, where the processor has none
  AloneCommunicator alone;
  const trials::Trial trial{.relation = "cosine", .recognition = false, .global_batch = 6};
  const auto gradient = [&](Precision used) {
    const auto training =
        trials::make_task(trials::pretrain_config_of(trial), Parts::of_ranks(alone), torch::kCPU,
                          /*seed=*/3, used);
    const auto parameters = training->parameters();
    GradientBuckets gradients(parameters, alone);
    trials::TrialFaces faces(trial, {.global_batch = trial.global_batch, .micro_batches = 1, .world = 1}, 0);
    Step(*training, faces, gradients, 1).compute(0);
    std::vector<torch::Tensor> flat;
    for (const auto& parameter : parameters) {
      EXPECT_EQ(parameter.value.scalar_type(), torch::kFloat32);
      flat.push_back(parameter.value.grad().flatten());
    }
    return torch::cat(flat);
  };
  const auto exact = gradient(Precision::Float32), rough = gradient(Precision::BFloat16);
  const double difference = ((rough - exact).norm() / exact.norm()).item<double>();
  EXPECT_LT(difference, 0.05);
  EXPECT_GT(difference, 1e-6) << "this was not computed in bfloat16";
}

}  // namespace
}  // namespace facemae
