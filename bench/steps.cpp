// Times training steps of one model on one rank: forward, backward, optimizer, as `facemae pretrain` and
// `recognize` run them, on faces that are in memory already. Prints images per second. bench/torch_steps.py
// is the same in PyTorch.
#include <torch/torch.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <numeric>

#include "cluster/tensors/alone.h"
#include "core/host.h"
#include "trainer/step/gradient_buckets.h"
#include "trainer/step/optimizer.h"
#include "trainer/step/step.h"
#include "trainer/tasks/pretrain.h"
#include "trainer/tasks/recognize.h"

namespace {

using namespace facemae;

constexpr std::int64_t kClasses = 1000;

std::unique_ptr<Task> make_task(const std::string& model, std::uint64_t batch, Communicator& ranks) {
  if (model == "facemae") {
    FaceMae mae(face_mae_config("tiny", 112, 16));
    mae->initialise(1);
    PretrainConfig config;
    config.common.batch = batch;
    return std::make_unique<Pretraining>(std::move(mae), random_embedder({.size = 56, .width = 32}), config,
                                         "bench", Parts::of_ranks(ranks), Precision::Float32, torch::kCPU);
  }
  auto network = make_network(model);
  network->initialise(1);
  RecognizeConfig config;
  config.common.batch = batch;
  config.margin = "cosface";
  return std::make_unique<RecognitionTraining>(network, ClassCentres(kClasses, 16, 1, ranks, torch::kCPU),
                                               config, "bench", Parts::of_ranks(ranks), Precision::Float32,
                                               torch::kCPU);
}

/// The same faces over and over, as new samples.
class SameFaces final : public FaceSource {
 public:
  explicit SameFaces(std::uint64_t batch) {
    const auto rows = static_cast<std::int64_t>(batch);
    torch::manual_seed(1);
    faces_.images = torch::rand({rows, 3, 112, 112}) * 2 - 1;
    faces_.labels = torch::randint(kClasses, {rows}, torch::kInt64);
    faces_.rows_of_rank = {rows};
    faces_.ordinals.resize(batch);
    std::iota(faces_.ordinals.begin(), faces_.ordinals.end(), std::uint64_t{0});
  }
  std::vector<Faces> next() override {
    auto now = faces_;
    for (auto& ordinal : faces_.ordinals) ordinal += faces_.ordinals.size();
    return {std::move(now)};
  }

 private:
  Faces faces_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: bench_steps facemae|iresnet-tiny|mobilefacenet BATCH STEPS\n");
    return 2;
  }
  const std::string model = argv[1];
  const auto batch = std::strtoull(argv[2], nullptr, 10);
  const int steps = std::atoi(argv[3]);
  keep_freed_memory();  // as the program does
  torch::set_num_threads(1);
  AloneCommunicator alone;
  const auto task = make_task(model, batch, alone);
  GradientBuckets gradients(task->parameters(), alone);
  Optimizer optimizer({.kind = model == "facemae" ? "adamw" : "sgd"}, gradients, task->classes().centres);
  SameFaces faces(batch);
  Step training(*task, faces, gradients, 1);
  const auto made = torch::zeros({});
  auto start = std::chrono::steady_clock::now();
  for (int step = -2; step < steps; ++step) {
    if (step == 0) start = std::chrono::steady_clock::now();
    training.compute(static_cast<std::uint64_t>(step + 2));
    optimizer.step(1e-3, made);
    task->end(made);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%.3f\n", static_cast<double>(steps) * static_cast<double>(batch) / seconds);
  return 0;
}
