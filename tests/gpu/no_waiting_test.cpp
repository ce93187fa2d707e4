// Steps on a GPU in which LibTorch would call an implicit wait of the host an error.
#include <c10/cuda/CUDAFunctions.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "tests/gpu/one_gpu.h"
#include "tests/ranked/trainer/step/training_fixture.h"
#include "trainer/input/pinned_memory.h"
#include "trainer/input/transfer.h"
#include "trainer/run/decisions.h"

namespace facemae {
namespace {

using namespace trials;

/// Faces that travel as in training: the bytes of the next ones are copied beside computing.
class Travelling final : public FaceSource {
 public:
  Travelling(const Trial& trial, FaceNeeds needs, torch::Device device)
      : plan_(plan_of(trial, 1)),
        side_pixels_(trial.recognition ? 112 : 16),
        needs_(std::move(needs)),
        side_(side_stream(device)),
        transfer_(side_, plan_, /*seed=*/5, /*flip=*/true, needs_.labels) {}

  std::vector<Faces> next() override {
    if (!transfer_.under_way()) transfer_.send(batch());
    Faces faces = transfer_.receive();
    transfer_.send(batch());
    return {std::move(faces)};
  }

 private:
  std::unique_ptr<ByteBatch> batch() {
    auto bytes = transfer_.spare();
    if (!bytes) bytes = std::make_unique<ByteBatch>(&memory_);
    bytes->step = step_++;
    bytes->image = side_pixels_;
    bytes->ordinals = plan_.ordinals(bytes->step, 0, 0);
    bytes->rows = bytes->ordinals;
    const std::size_t faces = bytes->ordinals.size();
    bytes->labels.resize(faces);
    for (std::size_t i = 0; i < faces; ++i) bytes->labels[i] = trial_label(bytes->ordinals[i]);
    bytes->pixels.resize(faces * image_bytes(side_pixels_, bytes->format));
    for (std::size_t i = 0; i < bytes->pixels.size(); ++i)
      bytes->pixels[i] = static_cast<std::uint8_t>(i * (bytes->step + 3));
    bytes->noise.resize(faces * needs_.noise.values);
    for (std::size_t i = 0; i < faces && needs_.noise.values > 0; ++i)
      needs_.noise.draw(bytes->ordinals[i],
                        std::span(bytes->noise).subspan(i * needs_.noise.values, needs_.noise.values));
    return bytes;
  }

  BatchPlan plan_;
  int side_pixels_;
  FaceNeeds needs_;
  std::shared_ptr<SideStream> side_;
  PinnedMemory memory_{side_};
  Transfer transfer_;
  std::uint64_t step_ = 0;
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
  Travelling faces(trial, task.needs(), ranks.device());
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
