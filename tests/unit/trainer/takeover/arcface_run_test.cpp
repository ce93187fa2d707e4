// Runs of arcface_torch of a backbone of two tensors and of five classes with centres of two values.
#include "trainer/takeover/arcface_run.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "core/error.h"
#include "core/files/files.h"
#include "tests/temporary_folder.h"
#include "tests/torch_files.h"
#include "tests/why.h"

namespace facemae {
namespace {

using test::Members;
using test::torch_dict;
using test::torch_number;
using test::why;
using testing::HasSubstr;

/// A view of `rows` rows of the storage "0", whose values are 0 to 5, from one of its values on.
std::string matrix(std::uint64_t rows, std::uint64_t first = 0) {
  return test::torch_tensor({.first = first, .shape = {rows, 2}, .strides = {2, 1}});
}
std::string vector_of(std::uint64_t first) {
  return test::torch_tensor({.first = first, .shape = {3}, .strides = {1}});
}

struct Rank {
  std::uint64_t rows = 1, step = 7;
  std::string momentum = {};  ///< of the class centres; "": of all rows
};

/// What rank R saves.
std::string checkpoint_of(const Rank& rank) {
  const std::string momentum =
      rank.momentum.empty() ? matrix(rank.rows, rank.rows < 3 ? 1 : 0) : rank.momentum;
  const auto group = [](std::uint64_t from) {
    return torch_dict(
        {{"lr", torch_number(1)},
         {"weight_decay", torch_number(0)},
         {"momentum", torch_number(0)},
         {"params", from == 0 ? "](K" + std::string(1, '\0') + "K\x01" + "e" : "]K\x02" + std::string("a")}});
  };
  const std::string states = "}(K" + std::string(1, '\0') + torch_dict({{"momentum_buffer", vector_of(2)}}) +
                             "K\x02" + torch_dict({{"momentum_buffer", momentum}}) + "u";
  return test::torch_file(torch_dict(
      {{"global_step", torch_number(rank.step)},
       {"state_dict_backbone", torch_dict({{"a", vector_of(1)},
                                           {"a.running_mean", vector_of(0)},
                                           {"b", test::torch_tensor({.shape = {2}, .strides = {1}})}})},
       {"state_dict_softmax_fc", torch_dict({{"weight", matrix(rank.rows)}})},
       {"state_optimizer",
        torch_dict({{"state", states}, {"param_groups", "](" + group(0) + group(2) + "e"}})},
       {"state_lr_scheduler", torch_dict({{"total_iters", torch_number(20)},
                                          {"warmup_iters", torch_number(2)},
                                          {"base_lrs", "]K\x03" + std::string("a")}})}}));
}

class ArcfaceRunTest : public testing::Test {
 protected:
  void save(const std::vector<Rank>& ranks) {
    for (std::size_t r = 0; r < ranks.size(); ++r)
      write_whole(real_files(), folder_ / ("checkpoint_gpu_" + std::to_string(r) + ".pt"),
                  checkpoint_of(ranks[r]));
  }
  /// What one of our ranks holds of a run that begins: classes [first, last) of `classes`.
  static Snapshot beginning(std::int64_t first, std::int64_t last, std::int64_t classes = 5) {
    Snapshot state;
    const auto tensor = [](std::int64_t values) { return torch::full({values}, -1.0); };
    state.replicated = {{"model.a", tensor(3)},
                        {"model.a.running_mean", tensor(3)},
                        {"model.b", tensor(2)},
                        {"optimizer.momentum_buffer.a", torch::zeros({3})},
                        {"optimizer.momentum_buffer.b", torch::zeros({2})},
                        {"optimizer.steps", torch::zeros({})},
                        {"training.identities", tensor(1)}};
    state.by_class = {{"centres", torch::full({last - first, 2}, -1.0), first, classes},
                      {"optimizer.momentum_buffer.centres", torch::zeros({last - first, 2}), first, classes}};
    return state;
  }

  test::TemporaryFolder folder_;
};

bool is(const torch::Tensor& found, std::vector<float> expected) {
  return torch::equal(found.flatten(), torch::tensor(expected));
}

TEST_F(ArcfaceRunTest, FillsWhatEachRankHoldsFromTheShardsOfAll) {
  save({{.rows = 2}, {.rows = 2}, {.rows = 1}});
  const ArcfaceRun run(folder_.path());
  EXPECT_EQ(run.classes(), 5u);
  EXPECT_EQ(run.ranks(), 3u);
  auto whole = beginning(0, 5);
  run.fill(whole, 7);
  EXPECT_TRUE(is(whole.replicated[0].value, {1, 2, 3}));
  EXPECT_TRUE(is(whole.replicated[1].value, {0, 1, 2})) << "statistics, which are no parameters";
  EXPECT_TRUE(is(whole.replicated[3].value, {2, 3, 4}));
  EXPECT_TRUE(is(whole.replicated[4].value, {0, 0})) << "a parameter without momentum";
  EXPECT_TRUE(is(whole.replicated[5].value, {7}));
  EXPECT_TRUE(is(whole.replicated[6].value, {-1})) << "what belongs to the new run";
  EXPECT_TRUE(is(whole.by_class[0].rows, {0, 1, 2, 3, 0, 1, 2, 3, 0, 1}));
  EXPECT_TRUE(is(whole.by_class[1].rows, {1, 2, 3, 4, 1, 2, 3, 4, 1, 2}));
  auto part = beginning(1, 4);
  run.fill(part, 7);
  EXPECT_TRUE(is(part.by_class[0].rows, {2, 3, 0, 1, 2, 3}));
}

TEST_F(ArcfaceRunTest, KnowsWhatTheFilesSayOfTheTraining) {
  save({{.rows = 2}, {.rows = 1}});
  const ArcfaceSettings found = ArcfaceRun(folder_.path()).settings();
  EXPECT_EQ(found.step, 7u);
  EXPECT_EQ(found.optimizer, "sgd");
  EXPECT_EQ(found.lr, 3.0);
  EXPECT_EQ(found.total_steps, 20u);
  EXPECT_EQ(found.warmup_steps, 2u);
  EXPECT_FALSE(found.beta1.has_value());
}

TEST_F(ArcfaceRunTest, LeavesTheMomentaOfASampleAtZero) {
  save({{.rows = 3, .momentum = matrix(1)}, {.rows = 2}});
  auto state = beginning(0, 5);
  ArcfaceRun(folder_.path()).fill(state, 7);
  EXPECT_TRUE(is(state.by_class[1].rows, {0, 0, 0, 0, 0, 0, 1, 2, 3, 4}));
  EXPECT_TRUE(is(state.by_class[0].rows, {0, 1, 2, 3, 4, 5, 0, 1, 2, 3}));
}

TEST_F(ArcfaceRunTest, RefusesFilesThatDoNotBelongTogether) {
  const auto said = [&] { return why<ConfigError>([&] { ArcfaceRun(folder_.path()); }); };
  EXPECT_THAT(said(), HasSubstr("neither checkpoint_gpu_0.pt"));
  save({{.rows = 2}, {.rows = 2, .step = 8}});
  EXPECT_THAT(said(), HasSubstr("of step 8"));
  save({{.rows = 1}, {.rows = 3}});
  EXPECT_THAT(said(),
              HasSubstr("checkpoint_gpu_0.pt has 1 classes; of 4 classes on 2 GPUs, rank 0 would have 2"));
  save({{.rows = 2}, {.rows = 2}, {.rows = 1}});
  std::filesystem::remove(folder_ / "checkpoint_gpu_1.pt");
  EXPECT_THAT(said(), HasSubstr("but not that of GPU 1"));
}

TEST_F(ArcfaceRunTest, NamesBothWhenClassesOrNetworksDiffer) {
  save({{.rows = 3}, {.rows = 2}});
  const ArcfaceRun run(folder_.path());
  const auto said = [&](Snapshot state) { return why<ConfigError>([&] { run.fill(state, 7); }); };
  EXPECT_THAT(said(beginning(0, 4, 4)), HasSubstr("has 5 classes, the store 4 identities"));
  auto other = beginning(0, 5);
  other.replicated[2].value = torch::zeros({4});
  EXPECT_THAT(said(other), HasSubstr("is of another network: 2 of its 3 tensors fit, 1 are missing (b)"));
  other = beginning(0, 5);
  other.by_class[0].rows = torch::zeros({5, 4});
  EXPECT_THAT(said(other), HasSubstr("centres of 2 values, this network embeddings of 4"));
}

}  // namespace
}  // namespace facemae
