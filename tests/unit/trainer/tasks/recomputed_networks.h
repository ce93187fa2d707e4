#pragma once
// A training step of a network, and what it allocates.
#include <gmock/gmock.h>
#include <torch/torch.h>

#include <vector>

#include "tests/relative.h"
#include "tests/unit/model/recognition/tiny_networks.h"
#include "trainer/step/memory_meter.h"

namespace facemae::test {

/// Gradients are added to those that are there.
inline void one_step(RecognitionNetwork& network, std::int64_t faces) {
  const auto rows = network.forward_drawn(faces_of_noise(faces), keys_from(0, faces));
  torch::manual_seed(9);
  rows.backward(torch::randn_like(rows));
}

/// Bytes that LibTorch allocates at most in a first step, gradients among them, beside the weights.
inline double peak_of_a_step(RecognitionNetwork& network, std::int64_t faces) {
  network.train();
  MemoryMeter meter(torch::kCPU);
  one_step(network, faces);
  return static_cast<double>(meter.peak());
}

}  // namespace facemae::test
