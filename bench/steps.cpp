// Times training steps of one model on one rank: forward, backward, optimizer, as `facemae pretrain` and
// `recognize` run them, on faces that are on the device already. Prints images per second. bench/torch_steps.py
// is the same in PyTorch and takes the same words.
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <memory>
#include <numeric>
#include <string>

#include "cluster/tensors/alone.h"
#include "cluster/world/accelerator.h"
#include "cluster/world/device.h"
#include "core/error.h"
#include "core/host.h"
#include "model/common/layout.h"
#include "trainer/classes/class_optimizer.h"
#include "trainer/step/gradient_buckets.h"
#include "trainer/step/optimizer.h"
#include "trainer/step/step.h"
#include "trainer/tasks/pretrain.h"
#include "trainer/tasks/recognize.h"

namespace {

using namespace facemae;

constexpr const char* kUsage =
    "usage: bench_steps MODEL BATCH STEPS [name=value...]\n"
    "  MODEL    facemae (tiny), facemae-SIZE, or a recognition network: iresnet50 ...\n"
    "  device=cpu|cuda  precision=float32|tf32|bfloat16  classes=1000 (of recognition)\n"
    "  patch=16  embedder-width=32 (of FaceMAE)  layout=contiguous|channels-last (of recognition)\n";

struct Bench {
  std::string model, device = "cpu", precision = "float32", layout = "contiguous";
  std::uint64_t batch = 0, steps = 0;
  int patch = 16, embedder_width = 32;
  std::int64_t classes = 1000;

  bool pretrains() const { return model.starts_with("facemae"); }
  std::string size() const { return model == "facemae" ? "tiny" : model.substr(sizeof "facemae"); }
};

Bench read_words(int argc, char** argv) {
  if (argc < 4) throw ConfigError(kUsage);
  Bench bench{.model = argv[1], .batch = std::stoull(argv[2]), .steps = std::stoull(argv[3])};
  for (int i = 4; i < argc; ++i) {
    const std::string word = argv[i];
    const auto equals = std::min(word.find('='), word.size());
    const std::string name = word.substr(0, equals), value = word.substr(std::min(equals + 1, word.size()));
    if (name == "device")
      bench.device = value;
    else if (name == "precision")
      bench.precision = value;
    else if (name == "layout")
      bench.layout = value;
    else if (name == "classes")
      bench.classes = std::stoll(value);
    else if (name == "patch")
      bench.patch = std::stoi(value);
    else if (name == "embedder-width")
      bench.embedder_width = std::stoi(value);
    else
      throw ConfigError("bench_steps: \"" + word + "\" is unknown\n" + kUsage);
  }
  return bench;
}

torch::Device open_device(const std::string& name) {
  if (name == "cpu") return torch::kCPU;
  const std::string fault = cuda_accelerator().load();
  if (!fault.empty()) throw ConfigError("bench_steps: device=" + name + ": " + fault);
  if (!torch::cuda::is_available()) throw ConfigError("bench_steps: no CUDA device on this machine");
  const torch::Device device(torch::kCUDA, 0);
  use_device(device);
  return device;
}

std::unique_ptr<Task> make_task(const Bench& bench, Communicator& ranks) {
  const auto device = ranks.device();
  const auto precision = precision_for(bench.precision, device);
  if (bench.pretrains()) {
    FaceMae mae(face_mae_config(bench.size(), 112, bench.patch));
    mae->initialise(1);
    mae->to(device);
    auto embedder = random_embedder({.size = 56, .width = bench.embedder_width});
    embedder->to(device);
    PretrainConfig config;
    config.common.batch = bench.batch;
    return std::make_unique<Pretraining>(std::move(mae), std::move(embedder), config, "bench",
                                         Parts::of_ranks(ranks), precision, device);
  }
  auto network = make_network(bench.model);
  network->initialise(1);
  network->to(device);
  lay_out(*network, bench.layout == "channels-last" ? torch::MemoryFormat::ChannelsLast
                                                    : torch::MemoryFormat::Contiguous);
  RecognizeConfig config;
  config.common.batch = bench.batch;
  config.margin = "cosface";
  return std::make_unique<RecognitionTraining>(network, ClassCentres(bench.classes, 16, 1, ranks, device),
                                               config, "bench", Parts::of_ranks(ranks), precision, device);
}

/// The same faces over and over, as new samples.
class SameFaces final : public FaceSource {
 public:
  SameFaces(const Bench& bench, torch::Device device) {
    const auto rows = static_cast<std::int64_t>(bench.batch);
    torch::manual_seed(1);
    faces_.images = (torch::rand({rows, 3, 112, 112}) * 2 - 1).to(device);
    faces_.labels = torch::randint(bench.classes, {rows}, torch::kInt64).to(device);
    faces_.rows_of_rank = {rows};
    faces_.ordinals.resize(bench.batch);
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

/// Seconds until now; on a CPU those of the processor, which other load disturbs less.
double now(torch::Device device) {
  if (device.is_cpu()) return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  torch::cuda::synchronize();
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Seconds of `steps` steps, after as many as make the device's kernels ready.
double seconds_of(const Bench& bench, torch::Device device) {
  AloneCommunicator alone(device);
  const auto task = make_task(bench, alone);
  GradientBuckets gradients(task->parameters(), alone);
  Optimizer optimizer({.kind = bench.pretrains() ? "adamw" : "sgd"}, gradients);
  ClassOptimizer class_optimizer({}, optimizer, task->classes().centres);
  SameFaces faces(bench, device);
  Step training(*task, faces, gradients, 1);
  const auto made = torch::zeros({}, device);
  const std::uint64_t warm = device.is_cuda() ? 5 : 2;
  double start = 0;
  for (std::uint64_t step = 0; step < warm + bench.steps; ++step) {
    if (step == warm) start = now(device);
    training.compute(step);
    optimizer.step(1e-3);
    class_optimizer.step(1e-3, task->class_gradient());
    task->end(made);
  }
  return now(device) - start;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Bench bench = read_words(argc, argv);
    keep_freed_memory();  // as the program does
    torch::set_num_threads(1);
    const double seconds = seconds_of(bench, open_device(bench.device));
    std::printf("%.3f\n", static_cast<double>(bench.steps * bench.batch) / seconds);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
