// An attacker that is trained on several ranks learns what it learns on one, and says the same on all of them.
#include "trainer/attacks/linker.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "cluster/mpi/mpi_communicator.h"
#include "cluster/mpi/mpi_control.h"
#include "cluster/tensors/alone.h"
#include "tests/temporary_folder.h"
#include "tests/unit/trainer/attacks/planted_leak.h"

namespace facemae {
namespace {

using std::chrono::minutes;

/// Ranks that are given.
class GivenWorld final : public World {
 public:
  GivenWorld(Control& control, Communicator& gradients, Communicator& batch)
      : control_(control), gradients_(gradients), batch_(batch) {
    topology_.rank = batch.rank();
    topology_.size = topology_.local_size = batch.size();
  }
  const Topology& topology() const noexcept override { return topology_; }
  torch::Device device() const noexcept override { return torch::kCPU; }
  Control& control() override { return control_; }
  Communicator& gradients() override { return gradients_; }
  Communicator& batch() override { return batch_; }
  void close() override {}
  [[noreturn]] void die(int code) noexcept override { std::_Exit(code); }

 private:
  Control& control_;
  Communicator &gradients_, &batch_;
  Topology topology_;
};

Evidence learnt(World& world, const Path& folder, const Lesson& own, const Lesson& tested) {
  TrainedAttackerConfig config{.folder = folder};
  config.budget = {.steps = 6, .batch = 15, .width = 4};  // which 2 ranks do not divide
  const auto attackers = linkers(config, world);
  attackers[1]->fit(own);
  return attackers[1]->look(tested.released, tested.real);
}

TEST(ALinkerOnRanks, LearnsWhatItLearnsAlone) {
  torch::set_num_threads(1);
  MpiControl control(minutes(1));
  MpiCommunicator gradients("gradients", minutes(1)), batch("batch", minutes(1));
  AloneControl nobody;
  AloneCommunicator alone;
  const test::TemporaryFolder own_folder;
  const Path shared = control.broadcast((own_folder / "shared").string());
  GivenWorld one(nobody, alone, alone), ranks(control, gradients, batch);
  const Lesson own = test::PlantedLeak{.people = 5, .photos_each = 4}.lesson();
  const Lesson tested = test::PlantedLeak{.people = 3, .photos_each = 3, .seed = 2}.lesson();

  const Evidence wanted = learnt(one, own_folder / "alone", own, tested);
  const Evidence found = learnt(ranks, shared, own, tested);
  EXPECT_LT((found.released - wanted.released).abs().max().item<double>(), 1e-3);
  EXPECT_LT((found.real - wanted.real).abs().max().item<double>(), 1e-3);
  const auto bytes = found.released.contiguous();
  const std::string text(static_cast<const char*>(bytes.const_data_ptr()), bytes.nbytes());
  EXPECT_TRUE(control.same_everywhere(text)) << "every rank gets the same features";
  EXPECT_GT((wanted.released - wanted.released[0]).abs().max().item<double>(), 1e-2);
  control.barrier(minutes(1));
}

}  // namespace
}  // namespace facemae
