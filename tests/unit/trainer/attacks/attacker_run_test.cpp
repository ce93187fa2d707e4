#include "trainer/attacks/attacker_run.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "cluster/host/agree.h"
#include "core/error.h"
#include "tests/temporary_folder.h"
#include "tests/unit/cluster/world/fake_back_end.h"
#include "tests/unit/trainer/attacks/planted_leak.h"
#include "trainer/attacks/linker_task.h"

namespace facemae {
namespace {

/// A task that fails for once as step `at` begins.
class Failing final : public Task {
 public:
  Failing(std::unique_ptr<Task> task, std::uint64_t at) : task_(std::move(task)), at_(at) {}
  std::vector<Parameter> parameters() override { return task_->parameters(); }
  void begin(std::uint64_t step) override {
    if (step == at_) throw std::runtime_error("the power went out");
    task_->begin(step);
  }
  Pass forward(const Faces& faces) override { return task_->forward(faces); }
  Coupled couple(const Group& group) override { return task_->couple(group); }
  std::vector<Metric> metrics() override { return task_->metrics(); }
  void state(Snapshot& snapshot) override { task_->state(snapshot); }
  std::string kind() const override { return task_->kind(); }

 private:
  std::unique_ptr<Task> task_;
  std::uint64_t at_;
};

struct AnAttackersRun : testing::Test {
  AnAttackersRun() { torch::set_num_threads(1); }

  /// The weights after all steps; fails as step `at` begins.
  std::vector<torch::Tensor> train(const std::string& where, std::uint64_t at = 1000) {
    Towers towers({.side = 28, .width = 4, .features = 16});
    towers.initialise(5);
    std::vector<std::int64_t> rows(lesson.released.classes.size());
    for (std::size_t row = 0; row < rows.size(); ++row) rows[row] = static_cast<std::int64_t>(row);
    train_attacker(*world, {.folder = folder / where,
                            .name = "A5",
                            .training = {.steps = 12, .batch = 16, .width = 4, .lr = 1e-3},
                            .save_every = 4,
                            .pictures = lesson.released.pictures,
                            .labels = rows,
                            .digest = digest_of(lesson),
                            .make_task = [&](const RunConfig& run) -> TrainingTask {
                              return {.task = std::make_unique<Failing>(
                                          std::make_unique<LinkerTask>(towers, lesson, Right::Photo, run,
                                                                       Parts::of_ranks(world->batch()),
                                                                       Precision::Float32, torch::kCPU),
                                          at)};
                            }});
    auto weights = towers.released->parameters();
    for (const auto& weight : towers.photos->parameters()) weights.push_back(weight);
    return weights;
  }
  test::TemporaryFolder folder;
  std::unique_ptr<World> world = World::open(test::mpi_alone(), {.device = "cpu"});
  const Lesson lesson = test::PlantedLeak{.people = 5, .photos_each = 4}.lesson();
};

TEST_F(AnAttackersRun, GoesOnAfterAFailureToTheSameBits) {
  const auto whole = train("whole");
  EXPECT_THROW(train("broken", 10), std::runtime_error);
  const auto resumed = train("broken", 2);  // which would fail if it began anew
  ASSERT_EQ(resumed.size(), whole.size());
  for (std::size_t i = 0; i < whole.size(); ++i) EXPECT_TRUE(resumed[i].equal(whole[i])) << i;
}

TEST_F(AnAttackersRun, RefusesLessonsWithoutAnythingThatIsRight) {
  Lesson empty = lesson;
  empty.links.photos_of_picture[3].clear();
  EXPECT_THROW(LessonPairs(empty, Right::Photo), DataError);
  EXPECT_NO_THROW(LessonPairs(empty, Right::Person));
  empty.real.people.assign(empty.real.people.size(), 1);
  EXPECT_THROW(LessonPairs(empty, Right::Person), DataError);
}

TEST(LessonPairs, DrawsWhatIsRightAndNobodyWhoIs) {
  Lesson blend = test::PlantedLeak{.people = 4, .photos_each = 3}.lesson();
  blend.links.people_of_class = {{0, 2}, {1, 3}};
  blend.released.class_count = 2;
  for (std::size_t i = 0; i < blend.released.classes.size(); ++i) {
    blend.released.classes[i] = static_cast<std::int64_t>(i % 2);
    blend.links.photos_of_picture[i] =
        i % 2 == 0 ? std::vector<std::int64_t>{0, 7} : std::vector<std::int64_t>{4, 10};
  }
  const LessonPairs photos(blend, Right::Photo), people(blend, Right::Person);
  std::vector<std::int64_t> of_photos, of_people;
  for (std::uint64_t key = 0; key < 200; ++key) {
    of_photos.push_back(photos.photo_of(1, key));
    of_people.push_back(people.photo_of(1, key));
    const auto other = blend.real.people[static_cast<std::size_t>(people.other_photo(1, key))];
    EXPECT_TRUE(other == 0 || other == 2) << other;
  }
  EXPECT_THAT(of_photos, testing::Each(testing::AnyOf(4, 10)));
  EXPECT_THAT(of_people, testing::Each(testing::AnyOf(3, 4, 5, 9, 10, 11)));
  EXPECT_THAT(of_people, testing::IsSupersetOf({3, 4, 5, 9, 10, 11}));
  EXPECT_TRUE(people.right()[1].equal(torch::tensor({1, 3}, torch::kInt64)));
  EXPECT_EQ(people.names()[4].item<std::int64_t>(), 1);
  EXPECT_EQ(photos.names()[4].item<std::int64_t>(), 4);
}

TEST(AttackBudget, TakesTheSizeUnlessTheUserSaysMore) {
  const AttackTraining standard{.steps = 600, .batch = 128, .width = 16, .lr = 1e-3};
  EXPECT_EQ(within({.size = "quick"}, standard).steps, 150u);
  EXPECT_EQ(within({.size = "full"}, standard).steps, 3000u);
  EXPECT_EQ(within({.size = "full", .steps = 7}, standard).steps, 7u);
  EXPECT_EQ(within({.width = 64}, standard).width, 64);
  EXPECT_EQ(within({.precision = "bfloat16"}, standard).precision, "bfloat16");
  EXPECT_EQ(within({.width = 64}, {.width = 0}).width, 0) << "a recognition network has its own";
  EXPECT_THROW(within({.size = "quik"}, standard), ConfigError);
}

}  // namespace
}  // namespace facemae
