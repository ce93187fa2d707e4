// The attackers that train recognition networks and U-Nets: tens of seconds on one core.
#include "trainer/attacks/trained_attackers.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "checkpoint/tensors/safetensors.h"
#include "core/error.h"
#include "evaluation/linkage/features.h"
#include "evaluation/linkage/linkage.h"
#include "model/common/state.h"
#include "model/recognition/recognition.h"
#include "tests/temporary_folder.h"
#include "tests/unit/cluster/world/fake_back_end.h"
#include "tests/unit/trainer/attacks/planted_leak.h"
#include "trainer/attacks/inverter.h"
#include "trainer/attacks/recogniser.h"

namespace facemae {
namespace {

using test::own_found;

struct TrainedAttackers : testing::Test {
  TrainedAttackers() {
    torch::set_num_threads(1);
    config.folder = folder / "attackers";
  }
  std::unique_ptr<Attacker> made(const std::string& id, std::size_t which = 0) {
    return std::move(trained_attackers({id}, config, *world).at(which));
  }
  /// A network that nobody trained, which tells faces apart all the same.
  std::string a_recogniser() {
    const auto network = make_network("iresnet-tiny");
    network->initialise(3);
    const Path file = folder / "teacher.safetensors";
    write_safetensors(real_files(), file, state_of(*network),
                      {{"format", "pt"}, {"network", "iresnet-tiny"}});
    return file.string();
  }
  test::TemporaryFolder folder;
  TrainedAttackerConfig config;
  std::unique_ptr<World> world = World::open(test::mpi_alone(), {.device = "cpu"});
  const Lesson own = test::PlantedLeak{.people = 16, .photos_each = 4, .side = 56}.lesson();
  const Lesson tested = test::PlantedLeak{.people = 10, .photos_each = 4, .side = 56, .seed = 2}.lesson();
};

TEST_F(TrainedAttackers, ARecogniserWantsAClassForEveryPicture) {
  const auto message = [&](const std::vector<std::int64_t>& classes) -> std::string {
    try {
      trained_recogniser("A4", tested.released.pictures.narrow(0, 0, 3), classes, "digest", config, *world);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(message({0, 1, -1}), testing::HasSubstr("a released picture has no class"));
  EXPECT_THAT(message({0, 0, 0}), testing::HasSubstr("at least two classes"));
}

TEST_F(TrainedAttackers, ADistilledEmbedderSeesMoreThanItsTeacher) {
  config.teacher = config.recogniser = a_recogniser();
  const auto teacher = made("A4")->look(tested.released, tested.real);
  config.budget = {.steps = 80, .batch = 16};
  const auto distilled = made("A6");
  EXPECT_THROW(distilled->look(tested.released, tested.real), Error);
  distilled->fit(own);
  const auto student = distilled->look(tested.released, tested.real);
  EXPECT_TRUE(student.real.equal(teacher.real)) << "photos are seen by the teacher";
  EXPECT_LT(own_found(teacher), 0.15) << "chance is 0.025";
  EXPECT_GT(own_found(student), own_found(teacher) + 0.2);
}

TEST_F(TrainedAttackers, AnInversionComesNearerToThePhotos) {
  config.budget = {.steps = 60, .batch = 16, .width = 8, .lr = 3e-3};
  Inverter inverter(config, *world);
  inverter.fit(own);
  const auto inverted = inverter.invert(tested.released.pictures);
  ASSERT_EQ(inverted.sizes(), tested.real.photos.sizes());
  const auto away = [&](const torch::Tensor& pictures) {
    return (as_floats(pictures) - as_floats(tested.real.photos)).abs().mean().item<double>();
  };
  const auto grey = torch::full_like(tested.real.photos, 127);
  EXPECT_LT(away(inverted), 0.9 * away(tested.released.pictures));
  EXPECT_LT(away(inverted), 0.9 * away(grey)) << "it does better than a picture of nothing";

  const auto attacker = made("A7");
  attacker->fit(own);  // trained before
  EXPECT_EQ(attacker->facts().name, "inversion, then pixel colour 14x14");
  EXPECT_TRUE(attacker->look(tested.released, tested.real).released.equal(pixel_features(inverted, 14)));
}

TEST_F(TrainedAttackers, ThoseWhoRecogniseTrainOnWhatTheyMaySee) {
  config.budget = {.steps = 3, .batch = 8};
  const auto released = made("A4"), parrot = made("A9");
  EXPECT_FALSE(released->learns());
  EXPECT_TRUE(parrot->learns());
  EXPECT_THROW(parrot->look(tested.released, tested.real), Error);
  parrot->fit(own);
  for (const auto* attacker : {released.get(), parrot.get()}) {
    const auto seen = const_cast<Attacker*>(attacker)->look(tested.released, tested.real);
    EXPECT_EQ(seen.released.sizes(), (std::vector<std::int64_t>{40, 512}));
    EXPECT_EQ(seen.real.size(0), 40);
  }
  std::vector<std::string> runs;
  for (const auto& entry : std::filesystem::directory_iterator(config.folder))
    runs.push_back(entry.path().filename().string().substr(0, 3));
  EXPECT_THAT(runs, testing::UnorderedElementsAre("A4-", "A9-"));
  config.folder = folder / "again";
  made("A9")->fit(tested);
  EXPECT_THAT(read_file(std::filesystem::directory_iterator(config.folder)->path() / "config.txt"),
              testing::HasSubstr("classes = 10"));
}

TEST_F(TrainedAttackers, HaveATable) {
  EXPECT_EQ(trained_attackers({"A4", "A5", "A6", "A7", "A9"}, config, *world).size(), 6u);
  for (const auto& kind : trained_kinds())
    for (const auto& attacker : kind.make(config, *world)) EXPECT_EQ(attacker->facts().id, kind.name);
  EXPECT_THROW(trained_attackers({"A99"}, config, *world), ConfigError);
  config.budget.precision = "tf32";
  EXPECT_THROW(trained_attackers({"A5"}, config, *world), ConfigError) << "a CPU has no tf32";
}

}  // namespace
}  // namespace facemae
