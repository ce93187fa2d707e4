#include "trainer/doctor/measure.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <csignal>
#include <cstdlib>
#include <map>

#include "cluster/host/agree.h"
#include "cluster/mpi/mpi_back_end.h"
#include "core/log.h"
#include "core/signals.h"
#include "tests/temporary_folder.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/unit/data/store/small_store.h"
#include "trainer/doctor/share.h"

namespace facemae {
namespace {

/// The ranks of this host, each on a node of its own.
class Spread final : public World {
 public:
  explicit Spread(World& world) : world_(world), topology_(world.topology()) {
    topology_.local_rank = 0;
    topology_.local_size = 1;
    topology_.node = topology_.rank;
    topology_.nodes = topology_.size;
    topology_.cores = 3;
    topology_.host = "n" + std::to_string(topology_.rank);
  }
  const Topology& topology() const noexcept override { return topology_; }
  torch::Device device() const noexcept override { return world_.device(); }
  Control& control() override { return world_.control(); }
  Communicator& gradients() override { return world_.gradients(); }
  Communicator& batch() override { return world_.batch(); }
  void close() override {}
  [[noreturn]] void die(int code) noexcept override {
    world_.die(code);
    std::abort();  // GCC 12 does not see that the line above never returns
  }

 private:
  World& world_;
  Topology topology_;
};

struct Measure : testing::Test {
  Measure() {
    spdlog::set_level(spdlog::level::warn);
    folder = world->control().broadcast(here.path().string());
    together(world->control(), [&] {
      if (!world->control().is_root()) return;
      const auto picture = testing_stores::tiny_picture(1);
      testing_stores::make_store(folder / "store", {100}, 100, [&](std::uint64_t) { return picture; });
      std::filesystem::create_directory(folder / "run");
    });
  }
  ~Measure() override { world->close(); }
  bool left_nothing() const { return std::filesystem::is_empty(folder / "run"); }

  std::unique_ptr<World> world =
      World::open({mpi_back_end()}, {.device = "cpu", .deadline = std::chrono::minutes(1)});
  test::TemporaryFolder here;
  Path folder;
};

std::map<std::string, int> counted(const std::vector<Measured>& all) {
  std::map<std::string, int> ids;
  for (const auto& figure : all) ++ids[figure.id];
  return ids;
}

TEST_F(Measure, FindsEveryFigureAndLeavesNothingBehind) {
  Spread nodes(*world);
  const bool several = nodes.topology().size > 1;
  const auto all = measure_machine(
      nodes, {.seconds = 4, .run = (folder / "run").string(), .store = (folder / "store").string()});
  EXPECT_TRUE(left_nothing());
  if (!nodes.control().is_root()) {
    EXPECT_TRUE(all.empty());
    return;
  }
  for (const auto& figure : all) {
    EXPECT_GT(figure.value, 0) << figure.id << " of " << figure.of;
    EXPECT_FALSE(figure.unit.empty()) << figure.id;
  }
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [](const Measured& figure) {
    return figure.id == "data.loader" && figure.of == "a rank, 3 threads";
  })) << "a rank has the threads of its own cores";
  const auto ids = counted(all);
  for (const std::string id : {"cpu.gemm", "data.loader", "fs.write", "fs.read", "fs.meta", "save"})
    EXPECT_TRUE(ids.contains(id)) << id;
  for (const std::string id : {"net.allreduce.between", "net.allreduce.all", "net.pairs", "net.vote"})
    EXPECT_EQ(ids.contains(id), several) << id;
  EXPECT_FALSE(ids.contains("net.allreduce.node")) << "every rank has a node of its own";
}

TEST_F(Measure, SumsOverTheRanksOfOneNode) {
  const auto all = measure_machine(*world, {.seconds = 2});
  if (!world->control().is_root()) return;
  const auto ids = counted(all);
  EXPECT_EQ(ids.contains("net.allreduce.node"), world->topology().size > 1);
  for (const std::string id : {"net.allreduce.between", "net.pairs", "fs.write", "save", "data.loader"})
    EXPECT_FALSE(ids.contains(id)) << id;
}

/// The last test: notice that came stays.
TEST_F(Measure, EndsSoonAfterNoticeToAnyRankAndLeavesNothingBehind) {
  install_notice_handlers(/*interrupt=*/false);
  spdlog::set_level(spdlog::level::err);
  if (world->topology().rank == world->topology().size - 1) std::raise(SIGTERM);
  const Stopwatch watch;
  const auto all = measure_machine(
      *world, {.seconds = 600, .run = (folder / "run").string(), .store = (folder / "store").string()});
  EXPECT_LT(watch.seconds(), 60);
  EXPECT_TRUE(left_nothing());
  EXPECT_TRUE(all.empty());
}

}  // namespace
}  // namespace facemae
