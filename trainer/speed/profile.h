#pragma once
// --profile-steps A-B: a trace of LibTorch's profiler for chrome://tracing or https://ui.perfetto.dev, one for each rank.
#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/files/files.h"
#include "trainer/config/step_span.h"

namespace facemae {

/// One per rank. Operators, our ranges (trainer/step/range.h) and, on a GPU, its kernels between the ends of two steps go to
/// `folder`/steps-A-B.rank<r>.json. A trace that cannot be written is a warning: it is not what the run is for.
class Profile {
 public:
  /// Of nothing without `steps`. `done`: steps that were done before.
  Profile(std::optional<StepSpan> steps, Path folder, int rank, torch::Device device, std::uint64_t done);
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;
  void after_step(std::uint64_t done);

 private:
  void start();
  void stop();

  std::optional<StepSpan> steps_;
  Path folder_;
  int rank_;
  torch::Device device_;
  std::uint64_t first_ = 0, done_;
  bool running_ = false;
};

}  // namespace facemae
