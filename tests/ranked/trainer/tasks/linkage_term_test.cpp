#include "trainer/tasks/linkage_term.h"

#include <gtest/gtest.h>

#include <array>

#include "cluster/mpi/mpi_communicator.h"
#include "cluster/tensors/alone.h"
#include "tests/ranked/trainer/step/training_fixture.h"

namespace facemae::trials {
namespace {

TEST(LinkageTerm, FindsAlikeOnAnyNumberOfRanks) {
  torch::set_num_threads(1);
  MpiCommunicator ranks("ranks", std::chrono::minutes(1));
  const LinkageTerm term("auto:3", "", 0.25, torch::kCPU);
  const Trial trial{.global_batch = 10};
  const Faces faces = faces_of(trial, plan_of(trial, ranks.size()), 0, 0, ranks.rank());
  auto rebuilt = faces.images.clone();
  for (std::size_t i = 0; i < faces.ordinals.size(); ++i)  // two of ten look like somebody else
    if (faces.ordinals[i] % 5 == 0) rebuilt[static_cast<std::int64_t>(i)] = face(faces.ordinals[i] + 1, 16);
  const Group group{{.parts = {{.rows = term.features(rebuilt), .reference = term.features(faces.images)}},
                     .rows_of_rank = faces.rows_of_rank}};
  const Parts parts = Parts::of_ranks(ranks);
  static constexpr std::array both = {&Pass::rows, &Pass::reference};
  Coupling coupling(parts, group, both);
  const auto linked = term.couple(coupling.rows(&Pass::rows), coupling.rows(&Pass::reference), coupling);
  const auto before = torch::zeros({}, torch::kFloat64);
  const auto after = term.next_weight(before, 50, linked.hits, coupling);
  EXPECT_DOUBLE_EQ(after.item<double>(), 3 * (0.8 - 0.2)) << "8 of 10 are found";
  auto loss = linked.loss.clone();
  ranks.all_reduce(loss, Reduce::Sum).wait();
  EXPECT_NEAR(loss.item<double>(), 0.8 * std::log(10), 0.02) << "who is found is found for certain";
  EXPECT_EQ(linked.gradient.size(1), term.width());
}

TEST(LinkageTerm, ChangesItsWeightByWhatIsFoundEveryFiftySteps) {
  AloneCommunicator alone;
  const Parts parts = Parts::of_ranks(alone);
  const Group group{{.parts = {}, .rows_of_rank = {10}}};
  Coupling ten(parts, group, {});
  const LinkageTerm automatic("auto:3", "pixel", 0.25, torch::kCPU), fixed("0.5", "pixel", 0.25, torch::kCPU);
  const auto number = [](double value) { return torch::full({}, value, torch::kFloat64); };
  const auto next = [&](const LinkageTerm& term, double weight, std::uint64_t step, float hits) {
    return term.next_weight(number(weight), step, torch::tensor({hits}), ten).item<double>();
  };
  EXPECT_DOUBLE_EQ(next(automatic, 1, 50, 8), 1 + 3 * (0.8 - 0.2));
  EXPECT_EQ(next(automatic, 0.1, 100, 0), 0) << "never below 0";
  for (const std::uint64_t step : {0, 1, 49, 51}) EXPECT_EQ(next(automatic, 1, step, 8), 1) << step;
  EXPECT_EQ(automatic.begin(number(0.7)).item<double>(), 0.7) << "as the checkpoint says";
  EXPECT_EQ(fixed.begin(number(0.7)).item<double>(), 0.5);
  EXPECT_EQ(next(fixed, 0.5, 50, 8), 0.5);
}

}  // namespace
}  // namespace facemae::trials
