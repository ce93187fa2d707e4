#include "trainer/step/step.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <array>
#include <limits>

#include "cluster/tensors/alone.h"

namespace facemae {
namespace {

using testing::ElementsAre;
using Words = std::vector<std::string>;

/// One weight w; a face is its ordinal x. Own loss w x; rows w x, which are wanted to have the gradient `wish`.
class Scales final : public Task {
 public:
  Scales(Words& said, AloneCommunicator& alone) : said_(said), parts_(Parts::of_ranks(alone)) {}
  std::vector<Parameter> parameters() override { return {{"w", w}}; }
  FaceNeeds needs() const override { return {.labels = true, .classes = classes_of_faces, .noise = {}}; }
  void begin(std::uint64_t step) override { said_.push_back("begin " + std::to_string(step)); }
  void know(std::uint64_t step, std::vector<std::int64_t> labels) override {
    said_.push_back("labels of step " + std::to_string(step) + ": " + std::to_string(labels.size()));
  }
  Pass forward(const Faces& faces) override {
    const bool learns = torch::GradMode::is_enabled();
    said_.push_back((learns ? "forward " : "look at ") + std::to_string(faces.ordinals[0]));
    const auto x = static_cast<double>(faces.ordinals[0]);
    Pass pass{.loss = (w * x).sum()};
    if (couples) {
      pass.rows = (w * x).view({1, 1});
      pass.reference = torch::zeros({1, 1});
    }
    return pass;
  }
  Coupled couple(const Group& group) override {
    said_.push_back("couple " + std::to_string(group.size()));
    static constexpr std::array members = {&Pass::rows};
    const Coupling faces(parts_, group, members);
    const auto rows = faces.rows(&Pass::rows);
    EXPECT_FALSE(rows.requires_grad());
    return {.wanted = faces.spread(torch::full_like(rows, wish)), .loss = rows.sum()};
  }
  std::vector<Metric> metrics() override { return {}; }
  void state(Snapshot&) override {}
  std::string kind() const override { return "scales"; }

  torch::Tensor w = torch::full({1}, 2.0, torch::requires_grad());
  std::int64_t classes_of_faces = 0;
  bool couples = true;
  double wish = 10;

 private:
  Words& said_;
  Parts parts_;
};

class Counted final : public FaceSource {
 public:
  explicit Counted(Words& said, std::size_t parts = 1) : said_(said), parts_(parts) {}
  std::vector<Faces> next() override {
    said_.emplace_back("read");
    std::vector<Faces> faces(parts_);
    for (std::size_t part = 0; part < parts_; ++part) {
      faces[part].ordinals = {++last_};
      faces[part].rows_of_rank = {static_cast<std::int64_t>(parts_)};
      faces[part].part = part;
      faces[part].micro = micro_;
    }
    ++micro_;
    return faces;
  }
  std::vector<std::int64_t> prepare(int micro_batches) override {
    said_.push_back("prepare " + std::to_string(micro_batches));
    return {4, 4, 5};
  }

 private:
  Words& said_;
  std::size_t parts_;
  std::uint64_t last_ = 0;
  int micro_ = 0;
};

class ToldSums final : public GradientSums {
 public:
  ToldSums(Words& said, torch::Tensor w) : said_(said), w_(std::move(w)) {}
  void begin() override { w_.mutable_grad() = torch::zeros({1}); }
  void collect(std::size_t part) override { said_.push_back("backward of part " + std::to_string(part)); }
  void reduce_next() override { said_.emplace_back("the last"); }
  void finish() override { said_.emplace_back("finish"); }
  double exposed_seconds() override { return 0; }

 private:
  Words& said_;
  torch::Tensor w_;
};

struct Stepping : testing::Test {
  Words said;
  AloneCommunicator alone;
  Scales task{said, alone};
  ToldSums sums{said, task.w};
};

TEST_F(Stepping, CouplesEachMicroBatchByItself) {
  Counted faces(said);
  const auto loss = Step(task, faces, sums, 2).compute(7);
  EXPECT_THAT(said, ElementsAre("begin 7", "read", "forward 1", "couple 1", "backward of part 0", "read",
                                "forward 2", "couple 1", "the last", "backward of part 0", "finish"));
  EXPECT_EQ(task.w.grad().item<float>(), (1 + 10) * 1 + (1 + 10) * 2);
  EXPECT_EQ(loss.item<float>(), 2 * (2 * 1 + 2 * 2));
}

TEST_F(Stepping, LooksAtAllMicroBatchesFirstWhenTheyAreComparedTogether) {
  task.compares_whole_batch = true;
  Counted faces(said);
  Step(task, faces, sums, 2).compute(0);
  EXPECT_THAT(said,
              ElementsAre("begin 0", "read", "look at 1", "read", "look at 2", "couple 2", "forward 1",
                          "backward of part 0", "forward 2", "the last", "backward of part 0", "finish"));
  EXPECT_EQ(task.w.grad().item<float>(), 11 * (1 + 2));
}

TEST_F(Stepping, NeedsNoLookWhenTheWholeBatchIsOneMicroBatch) {
  task.compares_whole_batch = true;
  Counted faces(said);
  Step(task, faces, sums, 1).compute(0);
  EXPECT_THAT(said, ElementsAre("begin 0", "read", "forward 1", "couple 1", "the last", "backward of part 0",
                                "finish"));
}

TEST_F(Stepping, ComputesTheWayBackOfEachPart) {
  task.couples = false;
  Counted faces(said, 2);
  const auto loss = Step(task, faces, sums, 1).compute(0);
  EXPECT_THAT(said, ElementsAre("begin 0", "read", "forward 1", "forward 2", "the last", "backward of part 0",
                                "backward of part 1", "finish"));
  EXPECT_EQ(loss.item<float>(), 2 * (1 + 2));
}

TEST_F(Stepping, KnowsTheLabelsOfAllMicroBatchesBeforeTheFirstForwardPass) {
  task.classes_of_faces = 6;
  Counted faces(said);
  Step(task, faces, sums, 2).compute(3);
  EXPECT_THAT(Words(said.begin(), said.begin() + 5),
              ElementsAre("begin 3", "prepare 2", "labels of step 3: 3", "read", "forward 1"));
}

TEST_F(Stepping, TellsOfALossThatIsNotFinite) {
  {
    const torch::NoGradGuard no_grad;
    task.w.fill_(std::numeric_limits<float>::infinity());
  }
  Counted faces(said);
  EXPECT_FALSE(torch::isfinite(Step(task, faces, sums, 1).compute(0)).item<bool>());
}

}  // namespace
}  // namespace facemae
