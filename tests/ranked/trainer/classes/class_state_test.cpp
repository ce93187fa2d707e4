// What the optimizer holds of each class goes where the class goes: to other ranks, and by a class map. Ranks are
// threads, because one mpirun cannot save with W ranks and load with W'.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <mutex>
#include <set>

#include "checkpoint/format/layout.h"
#include "tests/ranked/checkpoint/tensors/thread_communicator.h"
#include "tests/unit/checkpoint/tensors/fixture.h"
#include "trainer/classes/class_optimizer.h"

namespace facemae {
namespace {

using namespace test;

constexpr std::int64_t kShards = 8, kNumbers = 6;

/// One rank of a training in which a class's gradient and whether it is sampled depend on its name and the step only.
struct ClassesOfRank {
  ClassesOfRank(Control& control, const std::string& kind, std::vector<std::int64_t> names)
      : ranks(control, torch::kCPU),
        named(std::move(names)),
        own(rows_of_rank(static_cast<std::int64_t>(named.size()), kShards, control.rank(), control.size())),
        buckets({{"weight", weight}}, ranks),
        replicated({.kind = kind, .weight_decay = 0.1}, buckets),
        optimizer({}, replicated, centres = initial()) {
    const auto total = static_cast<std::int64_t>(named.size());
    snapshot.replicated = {{"model.weight", weight}};
    const ClassTensor at{"centres", centres, own.first, total};
    snapshot.by_class = {at};
    snapshot.virtual_shards = kShards;
    snapshot.model_hash = "classes by name";
    replicated.add_to(snapshot);
    optimizer.add_to(snapshot, at);
  }

  void run(int from, int to) {
    for (int step = from; step < to; ++step) {
      replicated.step(0.01);
      std::vector<std::int64_t> rows;
      std::vector<torch::Tensor> values{torch::empty({0, kNumbers})};
      for (std::int64_t row = 0; row < own.count; ++row) {
        const auto name = name_of(row);
        if ((name * 7 + step * 5) % 4 != 0) continue;
        rows.push_back(row);
        values.push_back(torch::arange(kNumbers, torch::kFloat32)
                             .add(static_cast<double>(name + step))
                             .sin()
                             .view({1, kNumbers}));
      }
      optimizer.step(0.01, {.rows = torch::tensor(rows, torch::kInt64), .values = torch::cat(values)});
    }
  }
  std::int64_t name_of(std::int64_t row) const { return named[static_cast<std::size_t>(own.first + row)]; }
  /// All that is held of the class in an own row.
  std::vector<torch::Tensor> of(std::int64_t row) const {
    std::vector<torch::Tensor> all;
    for (const auto& tensor : snapshot.by_class) all.push_back(tensor.rows[row].clone());
    return all;
  }

  ThreadCommunicator ranks;
  std::vector<std::int64_t> named;
  RowRange own;
  torch::Tensor weight = torch::zeros({3}, torch::requires_grad()), centres;
  GradientBuckets buckets;
  Optimizer replicated;
  ClassOptimizer optimizer;
  Snapshot snapshot;

 private:
  torch::Tensor initial() const {
    auto values = torch::empty({own.count, kNumbers});
    for (std::int64_t row = 0; row < own.count; ++row) values[row].fill_(static_cast<double>(name_of(row)));
    return values;
  }
};

std::vector<std::int64_t> names_up_to(std::int64_t count) {
  std::vector<std::int64_t> names(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = static_cast<std::int64_t>(i);
  return names;
}

bool alike(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return torch::equal(x, y); });
}

class ClassState : public testing::TestWithParam<std::string> {
 protected:
  const Quiet quiet_;
  QuickFiles files_;
};
INSTANTIATE_TEST_SUITE_P(, ClassState, testing::Values("adamw", "sgd"));

TEST_P(ClassState, GoesOnOnAnyNumberOfRanksWithTheBitsOfOne) {
  for (const std::int64_t classes : {23, 2}) {  // with 2, some ranks have none
    std::vector<std::vector<torch::Tensor>> straight;
    run_ranks(1, [&](Control& control) {
      ClassesOfRank alone(control, GetParam(), names_up_to(classes));
      alone.run(0, 9);
      for (std::int64_t row = 0; row < classes; ++row) straight.push_back(alone.of(row));
    });
    std::set<std::string> roots;
    for (const int saved_by : {1, 2, 3}) {
      const TemporaryFolder folder;
      run_ranks(saved_by, [&](Control& control) {
        ClassesOfRank rank(control, GetParam(), names_up_to(classes));
        rank.run(0, 5);
        rank.snapshot.step = 5;
        CheckpointStore store(folder.path(), control, files_);
        EXPECT_TRUE(store.save(rank.snapshot, 1));
      });
      for (const int loaded_by : {1, 2, 4}) {
        std::mutex one_by_one;
        run_ranks(loaded_by, [&](Control& control) {
          ClassesOfRank rank(control, GetParam(), names_up_to(classes));
          CheckpointStore store(folder.path(), control, files_, &rank.ranks);
          const auto info = load_newest(store, rank.snapshot);
          rank.run(5, 9);
          const std::lock_guard lock(one_by_one);
          ASSERT_TRUE(info);
          roots.insert(info->root_hash);
          for (std::int64_t row = 0; row < rank.own.count; ++row)
            EXPECT_TRUE(alike(rank.of(row), straight[static_cast<std::size_t>(rank.own.first + row)]))
                << "class " << rank.own.first + row << ", " << saved_by << " ranks, then " << loaded_by;
        });
      }
    }
    EXPECT_EQ(roots.size(), 1u);
  }
}

TEST_P(ClassState, FollowsTheClassMap) {
  const TemporaryFolder folder;
  // The classes backwards, without three of them, and with two that are new.
  std::vector<std::int64_t> names{40, 41};
  ClassMap map{-1, -1};
  for (std::int64_t name = 22; name >= 3; --name) names.push_back(name), map.push_back(name);
  std::vector<std::vector<torch::Tensor>> straight;
  run_ranks(1, [&](Control& control) {
    ClassesOfRank before(control, GetParam(), names_up_to(23));
    before.run(0, 5);
    before.snapshot.step = 5;
    CheckpointStore store(folder.path(), control, files_);
    EXPECT_TRUE(store.save(before.snapshot, 1));
    before.run(5, 9);
    for (std::int64_t row = 0; row < 23; ++row) straight.push_back(before.of(row));
  });
  run_ranks(1, [&](Control& control) {
    ClassesOfRank now(control, GetParam(), names), fresh(control, GetParam(), names);
    CheckpointStore store(folder.path(), control, files_);
    ASSERT_FALSE(store.restore(*store.newest(), now.snapshot, &map));
    for (const std::int64_t row : {0, 1})
      EXPECT_TRUE(alike(now.of(row), fresh.of(row))) << "new, without moments";
    now.run(5, 9);
    for (std::int64_t row = 2; row < now.own.count; ++row)
      EXPECT_TRUE(alike(now.of(row), straight[static_cast<std::size_t>(now.name_of(row))])) << row;
  });
}

}  // namespace
}  // namespace facemae
