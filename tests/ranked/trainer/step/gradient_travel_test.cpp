// How gradients travel changes how many bytes do, and the results no further than rounding explains.
#include <gtest/gtest.h>

#include <optional>

#include "cluster/mpi/mpi_communicator.h"
#include "cluster/tensors/alone.h"
#include "tests/ranked/trainer/step/training_fixture.h"

namespace facemae::trials {
namespace {

using std::chrono::minutes;

/// Counts the bytes that this rank gives away.
class Counting final : public Communicator {
 public:
  explicit Counting(Communicator& ranks) : ranks_(ranks) {}
  int rank() const noexcept override { return ranks_.rank(); }
  int size() const noexcept override { return ranks_.size(); }
  torch::Device device() const noexcept override { return ranks_.device(); }
  Work all_reduce(torch::Tensor tensor, Reduce op) override {
    reduced += tensor.nbytes();
    return ranks_.all_reduce(tensor, op);
  }
  Work all_gather(torch::Tensor out, torch::Tensor in) override {
    gathered += in.nbytes();
    return ranks_.all_gather(out, in);
  }
  Work reduce_scatter(torch::Tensor out, torch::Tensor in, Reduce op) override {
    scattered += in.nbytes();
    return ranks_.reduce_scatter(out, in, op);
  }
  Work broadcast(torch::Tensor tensor, int root) override { return ranks_.broadcast(tensor, root); }
  void abort() noexcept override { ranks_.abort(); }
  std::size_t reduced = 0, gathered = 0, scattered = 0;

 private:
  Communicator& ranks_;
};

struct GradientTravel : testing::Test {
  void SetUp() override { torch::set_num_threads(1); }
  Trained run(const Trial& trial) {
    bytes.emplace(reduction);
    return train(trial, in_graph, *bytes);
  }
  AloneCommunicator alone;
  MpiCommunicator in_graph{"in graph", minutes(1)}, reduction{"reduction", minutes(1)};
  std::optional<Counting> bytes;
  const Trial plain{.relation = "cosine", .global_batch = 10, .micro_batches = 2};
  Trial with(bool bfloat16, bool shard) const {
    Trial trial = plain;
    trial.buckets.travels_as = bfloat16 ? torch::kBFloat16 : torch::kFloat32;
    trial.buckets.shard = shard;
    return trial;
  }
};

TEST_F(GradientTravel, HalfTheBytesInBfloat16WhichRoundsTo8Bits) {
  const Trained one = train(plain, alone, alone);
  const Trained whole = run(plain);
  const std::size_t float32 = bytes->reduced;
  const Trained halves = run(with(true, false));
  const std::size_t of_loss = 8;  // the fixture's own sum of the first step's loss
  if (in_graph.size() == 1) {
    EXPECT_EQ(bytes->reduced, float32) << "a rank alone sends nothing and rounds nothing";
    EXPECT_EQ(worst_gradient(halves, one), 0);
    return;
  }
  EXPECT_EQ((bytes->reduced - of_loss) * 2, float32 - of_loss);
  EXPECT_LT(worst_gradient(whole, one), 1e-5);
  EXPECT_LT(worst_gradient(halves, one), 1.0 / 64);
  EXPECT_GT(worst_gradient(halves, one), 1e-4) << "nothing was rounded";
  EXPECT_LT(worst_value(halves, one), 0.01 * largest_difference(one.values, one.initial));
}

TEST_F(GradientTravel, AShardedOptimizerScattersTheGradientsAndGathersTheWeights) {
  for (const std::string kind : {"sgd", "adamw"}) {
    SCOPED_TRACE(kind);
    Trial whole = plain, sharded = with(false, true);
    // Where a gradient is nearly 0, AdamW makes a whole step of its rounding: a large epsilon, as for any such test.
    whole.optimizer = sharded.optimizer = {.kind = kind, .weight_decay = 0.1, .eps = 1e-3};
    const Trained one = train(whole, alone, alone);
    (void)run(whole);
    const std::size_t reduced = bytes->reduced;
    const Trained parts = run(sharded);
    EXPECT_LT(worst_value(parts, one), 1e-6);
    EXPECT_GT(largest_difference(one.values, one.initial), 1e-4);
    if (in_graph.size() == 1) {
      EXPECT_EQ(bytes->reduced, reduced);
      continue;
    }
    EXPECT_LT(bytes->reduced, 64u);
    EXPECT_GE(bytes->scattered + 64, reduced);
    EXPECT_EQ(bytes->gathered * static_cast<std::size_t>(in_graph.size()), bytes->scattered);
  }
}

TEST_F(GradientTravel, BothTogetherAreAsCloseAsBfloat16Alone) {
  const Trained one = train(plain, alone, alone);
  const Trained both = run(with(true, true));
  EXPECT_LT(worst_value(both, one), 0.01 * largest_difference(one.values, one.initial));
  if (in_graph.size() == 1) return;
  EXPECT_EQ(bytes->scattered * 2, bytes->gathered * static_cast<std::size_t>(in_graph.size()));
}

}  // namespace
}  // namespace facemae::trials
