#include "trainer/attacks/linker.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <algorithm>
#include <filesystem>

#include "cluster/host/agree.h"
#include "core/error.h"
#include "core/text.h"
#include "evaluation/linkage/linkage.h"
#include "tests/temporary_folder.h"
#include "tests/unit/cluster/world/fake_back_end.h"
#include "tests/unit/trainer/attacks/planted_leak.h"

namespace facemae {
namespace {

using test::own_found, test::people_found;

struct ATwoTowerLinker : testing::Test {
  ATwoTowerLinker() {
    config.folder = folder / "attackers";
    config.budget = {.steps = 100, .batch = 48, .width = 8, .lr = 2e-3};
    torch::set_num_threads(1);
  }
  std::vector<std::unique_ptr<Attacker>> fitted(const Lesson& lesson) {
    auto attackers = linkers(config, *world);
    for (auto& attacker : attackers) attacker->fit(lesson);
    return attackers;
  }
  test::TemporaryFolder folder;
  TrainedAttackerConfig config;
  std::unique_ptr<World> world = World::open(test::mpi_alone(), {.device = "cpu"});
  const Lesson own = test::PlantedLeak{.people = 40, .photos_each = 4}.lesson();
  const Lesson tested = test::PlantedLeak{.people = 12, .seed = 2}.lesson();
};

TEST_F(ATwoTowerLinker, FindsPeopleThroughAChannelThatHidesThemFromPixels) {
  const Evidence pixels{.released = pixel_features(tested.released.pictures, 14),
                        .real = pixel_features(tested.real.photos, 14)};
  EXPECT_LT(own_found(pixels), 0.1);
  const auto attackers = fitted(own);
  ASSERT_EQ(attackers.size(), 2u);
  EXPECT_EQ(attackers[0]->facts().name, "two-tower linker of photos");
  EXPECT_GT(own_found(attackers[0]->look(tested.released, tested.real)), 0.5) << "chance is 0.014";
  EXPECT_GT(people_found(attackers[1]->look(tested.released, tested.real), tested), 0.6) << "chance is 0.083";
}

TEST_F(ATwoTowerLinker, FindsNothingWhenItsLessonWasShuffled) {
  Lesson shuffled = own;
  torch::manual_seed(3);
  const auto order = torch::randperm(static_cast<std::int64_t>(own.links.photos_of_picture.size()));
  for (std::size_t i = 0; i < own.links.photos_of_picture.size(); ++i)
    shuffled.links.photos_of_picture[i] = own.links.photos_of_picture[static_cast<std::size_t>(
        order[static_cast<std::int64_t>(i)].item<std::int64_t>())];
  config.budget.steps = 60;
  auto attackers = linkers(config, *world);
  attackers.front()->fit(shuffled);
  EXPECT_LT(own_found(attackers.front()->look(tested.released, tested.real)), 0.1);
}

TEST_F(ATwoTowerLinker, IsNotTrainedAgainOnTheSameLesson) {
  config.budget.steps = 3;
  const auto first = fitted(own)[0]->look(tested.released, tested.real);
  const auto runs = [&] {
    std::vector<Path> found;
    for (const auto& entry : std::filesystem::directory_iterator(config.folder))
      found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
  };
  const auto before = runs();
  ASSERT_EQ(before.size(), 2u) << "one run for each of the two";
  EXPECT_EQ(std::filesystem::status(before[0]).permissions(), std::filesystem::perms::owner_all);
  const auto lines = read_file(before[0] / "metrics.jsonl");
  const auto again = fitted(own)[0]->look(tested.released, tested.real);
  EXPECT_TRUE(again.released.equal(first.released));
  EXPECT_TRUE(again.real.equal(first.real));
  EXPECT_EQ(read_file(before[0] / "metrics.jsonl"), lines);
  EXPECT_EQ(runs(), before);

  Lesson other = own;
  std::swap(other.links.photos_of_picture[0], other.links.photos_of_picture[1]);
  fitted(other);
  EXPECT_EQ(runs().size(), 4u) << "another lesson, other attackers";
}

TEST_F(ATwoTowerLinker, SaysWhoAskedTooEarly) {
  EXPECT_THROW(linkers(config, *world)[0]->look(tested.released, tested.real), Error);
}

}  // namespace
}  // namespace facemae
