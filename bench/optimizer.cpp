// What the optimizer's passes over memory cost: SGD in one pass and in four, side by side on the same values, one
// thread. Prints the median ratio with the smallest and largest, and seconds of the processor for a step.
#include "trainer/step/optimizer.h"

#include <torch/torch.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "cluster/tensors/alone.h"

namespace {

using namespace facemae;

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

struct Sgd {
  Sgd(std::int64_t values, bool fused)
      : weight(torch::ones({values}, torch::requires_grad())),
        buckets({{"weight", weight}}, alone),
        optimizer({.kind = "sgd", .weight_decay = 5e-4, .fused = fused}, buckets) {
    weight.mutable_grad().fill_(0.01);
  }
  double step() {
    const double start = processor_seconds();
    optimizer.step(0.1);
    return processor_seconds() - start;
  }
  AloneCommunicator alone;
  torch::Tensor weight;
  GradientBuckets buckets;
  Optimizer optimizer;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_optimizer VALUES ROUNDS\n");
    return 2;
  }
  torch::set_num_threads(1);
  const auto values = std::strtoll(argv[1], nullptr, 10);
  Sgd plain(values, false), fused(values, true);
  std::vector<double> ratios, of_plain, of_fused;
  for (int round = -2; round < std::atoi(argv[2]); ++round) {
    const double slow = plain.step(), fast = fused.step();
    if (round < 0) continue;  // the first touch memory for the first time
    ratios.push_back(fast / slow);
    of_plain.push_back(slow);
    of_fused.push_back(fast);
  }
  const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end());
  std::printf("sgd in one pass / in four: %.2f (%.2f to %.2f), %.4f and %.4f s\n", median(ratios), *least,
              *most, median(of_fused), median(of_plain));
  return 0;
}
