// Steps on a GPU in which LibTorch would call an implicit wait of the host an error.
#include <c10/cuda/CUDAFunctions.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "tests/gpu/one_gpu.h"
#include "tests/ranked/trainer/step/training_fixture.h"
#include "trainer/run/decisions.h"

namespace facemae {
namespace {

using namespace trials;

/// The same faces, on the device already, as the transfer beside computing leaves them.
class ThereAlready final : public FaceSource {
 public:
  ThereAlready(const Trial& trial, torch::Device device)
      : faces_(faces_of(trial, plan_of(trial, 1), 0, 0, 0)) {
    faces_.images = faces_.images.to(device);
    faces_.labels = faces_.labels.to(device);
  }
  std::vector<Faces> next() override { return {faces_}; }

 private:
  Faces faces_;
};

/// While it lives, whatever makes the host wait for the device throws.
struct Forbidden {
  Forbidden() { c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_ERROR); }
  ~Forbidden() { c10::cuda::warning_state().set_sync_debug_mode(c10::cuda::SyncDebugMode::L_DISABLED); }
};

void run_steps(Task& task, const Trial& trial, Communicator& ranks) {
  AloneControl control;
  GradientBuckets buckets(task.parameters(), ranks);
  Optimizer optimizer({.kind = trial.recognition ? "sgd" : "adamw"}, buckets);
  ClassOptimizer class_optimizer({}, optimizer, task.classes().centres);
  ThereAlready faces(trial, ranks.device());
  Step step(task, faces, buckets, 1);
  Decisions decisions(control, ranks, /*late=*/true);
  for (std::uint64_t number = 0; number < 6; ++number) {
    std::optional<Forbidden> forbidden;
    if (number >= 3) forbidden.emplace();  // kernels are chosen and memory is there
    const auto loss = step.compute(number);
    const auto norm = buckets.norm();
    decisions.see(torch::isfinite(norm).logical_and(torch::isfinite(loss)), norm);
    decisions.cast(number + 1, {});
    optimizer.step(1e-3, {.found_inf = decisions.skipped(), .clip = (1 / norm).clamp_max(1)});
    class_optimizer.step(1e-3, task.class_gradient(), decisions.skipped());
    task.end(decisions.skipped());
    forbidden.reset();
    if (const auto decision = decisions.next(false)) {
      EXPECT_FALSE(decision->vote.not_finite);
    }
  }
}

TEST(AStepOnAGpu, DoesNotWaitForTheDevice) {
  test::OneGpu gpu;
  if (!gpu.lacking.empty()) GTEST_SKIP() << gpu.lacking;
  Communicator& ranks = gpu.link->gradients();
  const Trial pretraining{.relation = "cosine", .global_batch = 6},
      recognition{.recognition = true, .global_batch = 8};
  EXPECT_NO_THROW(run_steps(*make_task(pretrain_config_of(pretraining), Parts::of_ranks(ranks), gpu.device),
                            pretraining, ranks));
  EXPECT_NO_THROW(
      run_steps(*make_task(recognize_config_of(recognition), Parts::of_ranks(ranks), 11, 5, gpu.device),
                recognition, ranks));
  ranks.check();
  gpu.link->close();
}

}  // namespace
}  // namespace facemae
