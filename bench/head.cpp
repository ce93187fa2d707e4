// Times the head of recognition training on one rank: the margin softmax over classes and the update of their centres, as
// training steps run them, around a network that computes nothing; or the update alone. Prints the median seconds of a
// step and the MiB of memory at the peak above the start. bench/torch_head.py is the same in PyTorch and takes the same
// words.
#include <sys/resource.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "cluster/tensors/alone.h"
#include "core/error.h"
#include "core/host.h"
#include "trainer/classes/class_optimizer.h"
#include "trainer/step/step.h"
#include "trainer/tasks/recognize.h"

namespace {

using namespace facemae;

constexpr const char* kUsage =
    "usage: bench_head head CLASSES RATE [name=value...]      softmax and update at a --sample-rate\n"
    "       bench_head update CLASSES SAMPLED [name=value...] the update of so many classes alone\n"
    "  batch=64  steps=5  threads=2  optimizer=sgd|adamw\n";
constexpr double kLearningRate = 1e-3;

struct Bench {
  std::string what, optimizer = "sgd";
  std::int64_t classes = 0, batch = 64;
  double share = 0;  ///< RATE or SAMPLED
  int steps = 5, threads = 2;
};

Bench read_words(int argc, char** argv) {
  if (argc < 4) throw ConfigError(kUsage);
  Bench bench{.what = argv[1], .classes = std::stoll(argv[2]), .share = std::stod(argv[3])};
  for (int i = 4; i < argc; ++i) {
    const std::string word = argv[i];
    const auto equals = std::min(word.find('='), word.size());
    const std::string name = word.substr(0, equals), value = word.substr(std::min(equals + 1, word.size()));
    if (name == "batch")
      bench.batch = std::stoll(value);
    else if (name == "steps")
      bench.steps = std::stoi(value);
    else if (name == "threads")
      bench.threads = std::stoi(value);
    else if (name == "optimizer")
      bench.optimizer = value;
    else
      throw ConfigError("bench_head: \"" + word + "\" is unknown\n" + kUsage);
  }
  return bench;
}

double peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// Its weights are the embeddings.
struct NoNetwork final : RecognitionNetwork {
  explicit NoNetwork(std::int64_t faces)
      : embeddings(register_parameter("embeddings", torch::randn({faces, kEmbeddingWidth}))) {}
  torch::Tensor forward(const torch::Tensor&) override { return embeddings * 1; }
  void initialise(std::uint64_t) override {}
  torch::Tensor embeddings;
};

/// The same faces over and over.
class SameLabels final : public FaceSource {
 public:
  explicit SameLabels(const Bench& bench) {
    faces_.images = torch::empty({bench.batch, 0});
    faces_.labels = torch::randint(bench.classes, {bench.batch}, torch::kInt64);
    faces_.rows_of_rank = {bench.batch};
    faces_.ordinals.resize(static_cast<std::size_t>(bench.batch));
    std::iota(faces_.ordinals.begin(), faces_.ordinals.end(), std::uint64_t{0});
  }
  std::vector<Faces> next() override { return {faces_}; }
  std::vector<std::int64_t> prepare(int /*micro_batches*/) override {
    const auto* labels = faces_.labels.const_data_ptr<std::int64_t>();
    return {labels, labels + faces_.labels.size(0)};
  }

 private:
  Faces faces_;
};

/// Once for the first touch of memory, then the median of `steps` calls.
template <class Call>
double median_seconds(int steps, Call step) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> seconds;
  for (int i = -1; i < steps; ++i) {
    const auto start = Clock::now();
    step();
    if (i >= 0) seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::nth_element(seconds.begin(), seconds.begin() + steps / 2, seconds.end());
  return seconds[static_cast<std::size_t>(steps / 2)];
}

/// What is trained beside the centres, and the optimizer of both.
struct Trained {
  Trained(const Bench& bench, const std::vector<Parameter>& parameters, const torch::Tensor& centres,
          Communicator& ranks)
      : gradients(parameters, ranks),
        optimizer({.kind = bench.optimizer, .weight_decay = 5e-4}, gradients),
        class_optimizer({}, optimizer, centres) {}
  void update(const ClassGradient& gradient) {
    optimizer.step(kLearningRate);
    class_optimizer.step(kLearningRate, gradient);
  }
  GradientBuckets gradients;
  Optimizer optimizer;
  ClassOptimizer class_optimizer;
};

double time_head(const Bench& bench) {
  AloneCommunicator alone;
  RecognizeConfig config;
  config.common.batch = static_cast<std::uint64_t>(bench.batch);
  config.margin = "cosface";
  config.sample_rate = bench.share;
  config.batch_norm = "frozen";  // there is none
  RecognitionTraining task(
      std::make_shared<NoNetwork>(bench.batch),
      ClassCentres(bench.classes, 1024, 1, alone, torch::kCPU, torch::kFloat32, bench.share), config, "bench",
      Parts::of_ranks(alone), Precision::Float32, torch::kCPU);
  Trained trained(bench, task.parameters(), task.classes().centres, alone);
  SameLabels faces(bench);
  Step step(task, faces, trained.gradients, 1);
  const auto made = torch::zeros({});
  std::uint64_t number = 0;
  return median_seconds(bench.steps, [&] {
    step.compute(number++);
    trained.update(task.class_gradient());
    task.end(made);
  });
}

double time_update(const Bench& bench) {
  AloneCommunicator alone;
  const auto sampled = static_cast<std::int64_t>(bench.share);
  const auto centres = torch::zeros({bench.classes, kEmbeddingWidth});
  Trained trained(bench, {{"weight", torch::zeros({1}, torch::requires_grad())}}, centres, alone);
  const ClassGradient gradient{
      .rows = torch::arange(sampled, torch::kInt64).mul(bench.classes).div(sampled, "floor"),
      .values = torch::randn({sampled, kEmbeddingWidth})};
  return median_seconds(bench.steps, [&] { trained.update(gradient); });
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Bench bench = read_words(argc, argv);
    if (bench.what != "head" && bench.what != "update") throw ConfigError(kUsage);
    keep_freed_memory();  // as the program does
    torch::set_num_threads(bench.threads);
    torch::manual_seed(1);
    torch::ones({64, 64}).mm(torch::ones({64, 64}));  // what libraries need is no memory of the head
    const double before = peak_mib();
    const double seconds = bench.what == "head" ? time_head(bench) : time_update(bench);
    std::printf("%.5f %.0f\n", seconds, peak_mib() - before);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
