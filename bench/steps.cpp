// Times training steps of one model on one rank: forward, backward, optimizer, as `facemae pretrain` and
// `recognize` run them, on faces that are in memory already. Prints images per second. bench/torch_steps.py
// is the same in PyTorch.
#include <torch/torch.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "cluster/tensors/alone.h"
#include "core/host.h"
#include "trainer/step/gradient_buckets.h"
#include "trainer/step/optimizer.h"
#include "trainer/tasks/pretrain.h"
#include "trainer/tasks/recognize.h"

namespace {

using namespace facemae;

constexpr std::int64_t kClasses = 1000;

std::unique_ptr<Task> make_task(const std::string& model, std::uint64_t batch, Communicator& ranks) {
  if (model == "facemae") {
    FaceMae mae(face_mae_config("tiny", 112, 16));
    mae->initialise(1);
    PretrainSettings settings;
    settings.global_batch = batch;
    return std::make_unique<Pretraining>(std::move(mae), random_embedder({.size = 56, .width = 32}), settings,
                                         ranks, Precision::Float32, torch::kCPU);
  }
  auto network = make_network(model);
  network->initialise(1);
  return std::make_unique<RecognitionTraining>(
      network, ClassCentres(kClasses, 16, 1, ranks, torch::kCPU),
      RecognitionSettings{.margin = {.kind = "cosface", .m = 0.4}, .global_batch = batch}, ranks,
      Precision::Float32, torch::kCPU);
}

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
  Optimizer optimizer({.kind = model == "facemae" ? "adamw" : "sgd"}, gradients, task->centres());
  Faces faces;
  torch::manual_seed(1);
  faces.images = torch::rand({static_cast<std::int64_t>(batch), 3, 112, 112}) * 2 - 1;
  faces.labels = torch::randint(kClasses, {static_cast<std::int64_t>(batch)}, torch::kInt64);
  faces.rows_of_rank = {static_cast<std::int64_t>(batch)};
  auto centres = task->centres();
  auto start = std::chrono::steady_clock::now();
  for (int step = -2; step < steps; ++step) {
    if (step == 0) start = std::chrono::steady_clock::now();
    faces.ordinals.clear();
    for (std::uint64_t i = 0; i < batch; ++i)
      faces.ordinals.push_back(static_cast<std::uint64_t>(step + 2) * batch + i);
    gradients.zero();
    if (centres.defined()) centres.mutable_grad().zero_();
    task->begin_step(static_cast<std::uint64_t>(step + 2));
    const auto share = task->loss_share(faces);
    gradients.reduce_next();
    share.backward();
    gradients.wait();
    optimizer.step(1e-3);
    task->end_step();
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%.3f\n", static_cast<double>(steps) * static_cast<double>(batch) / seconds);
  return 0;
}
