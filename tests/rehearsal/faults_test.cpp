// Faults of code for GPUs that CPUs never showed. Each is put back here, by what stands between the product and the
// stand-in, to prove that the rehearsal notices it.
#include <torch/torch.h>

#include "checkpoint/tensors/store.h"
#include "checkpoint/tensors/weights.h"
#include "core/files/files.h"
#include "tests/ranked/trainer/run/loop_fixture.h"
#include "tests/rehearsal/device.h"
#include "tests/rehearsal/rehearsal.h"
#include "tests/rehearsal/streams.h"

namespace facemae::rehearsal {
namespace {

using std::chrono::milliseconds;
using trials::Drawn, trials::LoopTrial, trials::Poison;

/// A communicator that passes everything on.
class Around : public Communicator {
 public:
  explicit Around(Communicator& ranks) : ranks_(ranks) {}
  int rank() const noexcept override { return ranks_.rank(); }
  int size() const noexcept override { return ranks_.size(); }
  torch::Device device() const noexcept override { return ranks_.device(); }
  Work all_reduce(torch::Tensor tensor, Reduce op) override { return ranks_.all_reduce(tensor, op); }
  Work all_gather(torch::Tensor out, torch::Tensor in) override { return ranks_.all_gather(out, in); }
  Work reduce_scatter(torch::Tensor out, torch::Tensor in, Reduce op) override {
    return ranks_.reduce_scatter(out, in, op);
  }
  Work broadcast(torch::Tensor tensor, int root) override { return ranks_.broadcast(tensor, root); }
  void check() override { ranks_.check(); }
  void abort() noexcept override { ranks_.abort(); }

 private:
  Communicator& ranks_;
};

/// Says that it carries the tensors of the host.
struct Mistaken final : Around {
  using Around::Around;
  torch::Device device() const noexcept override { return torch::kCPU; }
};
/// Never asks whether what was issued ended well.
struct Trusting final : Around {
  using Around::Around;
  void check() override {}
};

/// Weights on the device and identities in host memory, as in every checkpoint.
Snapshot state_of(torch::Device device, int value) {
  Snapshot state;
  state.step = 1;
  state.model_hash = "a device and the host";
  state.replicated.push_back({"model.weights", torch::full({5}, 0.5 * value, torch::TensorOptions(device))});
  state.replicated.push_back({kTrainingIdentities, torch::full({7}, value, torch::kInt64)});
  return state;
}

/// What comes back of a checkpoint.
void resume_through(Communicator& ranks, Control& control, torch::Device device, const Path& folder) {
  Snapshot into = state_of(device, 0);
  CheckpointStore checkpoints(folder, control, real_files(), &ranks);
  const auto newest = checkpoints.newest();
  ASSERT_TRUE(newest);
  ASSERT_EQ(checkpoints.restore(*newest, into), std::nullopt);
  const Snapshot saved = state_of(device, 3);
  for (std::size_t i = 0; i < saved.replicated.size(); ++i)
    EXPECT_TRUE(into.replicated[i].value.cpu().equal(saved.replicated[i].value.cpu()))
        << saved.replicated[i].name;
}

TEST_F(Runs, TensorsOfTheHostAreNotHandedToNcclWhenARunResumes) {
  const auto world = on_stand_in();
  ASSERT_TRUE(
      CheckpointStore(folder, control, real_files(), &world->batch()).save(state_of(world->device(), 3), 1));
  resume_through(world->batch(), control, world->device(), folder);
  Mistaken mistaken(world->batch());
  if (control.size() > 1) {  // one rank has nobody to exchange with
    EXPECT_THROW(resume_through(mistaken, control, world->device(), folder), std::exception);
  }
  world->close();
}

TEST_F(Rehearsal, AStepIsNotAppliedWhenItsSumsWereLostBetweenTheWaitAndTheVote) {
  for (const bool trusting : {false, true}) {
    SCOPED_TRACE(trusting);
    const auto world = on_stand_in();
    Trusting blind(world->gradients());
    Communicator& ranks = trusting ? static_cast<Communicator&>(blind) : world->gradients();
    LoopTrial trial(ranks, control);
    trial.log_every = 100;
    Drawn task(ranks, {});
    int step = 0;
    trial.before_vote = [&] {
      ++step;
      if (step == 2) stage.wire->fail(Wire::Fault::Lost);  // of step 3
      if (step == 3) stage.wire->tell();
    };
    try {
      trial.train_on(task, 3);
      EXPECT_TRUE(trusting) << "it ended well";
    } catch (const PeerLost&) {  // whoever trusts may learn of it later
    }
    EXPECT_EQ(task.ended, trusting ? 3 : 2) << "steps that were applied";
    control.barrier(std::chrono::minutes(1));
  }
}

TEST_F(Rehearsal, AStepThatIsNotFiniteOnOneRankIsSkippedOnAll) {
  const auto world = on_stand_in();
  LoopTrial trial(world->gradients(), control);
  Drawn sound(world->gradients(), {});
  const auto wanted = trial.train_on(sound, 4);
  for (const Poison poison : {Poison::Gradient, Poison::Loss, Poison::Centres}) {
    trial.state = {};
    Drawn task(world->gradients(), {.poison = poison, .rank = control.size() - 1, .steps = {2}});
    EXPECT_TRUE(trial.train_on(task, 5).equal(wanted));
    EXPECT_EQ(trial.state.skipped, 1u);
  }
  world->close();
}

TEST_F(Rehearsal, ACollectiveThatNeverEndsIsAbortedAtTheDeadlineAndTheHostGoesOn) {
  const torch::Device device(kType, static_cast<c10::DeviceIndex>(control.rank()));
  const Wire wire;
  NcclCommunicator ranks(wire.api(), stand_in_streams(device), control,
                         {.deadline = milliseconds(300), .watch_every = milliseconds(10)});
  wire.fail(Wire::Fault::Stuck);
  auto tensor = torch::ones({4}, torch::TensorOptions(device));
  ranks.all_reduce(tensor, Reduce::Sum).wait();  // orders streams alone
  EXPECT_EQ(tensor.sum().item<float>(), 4) << "what is left is a number as any other";
  EXPECT_THROW(ranks.check(), PeerLost);
  EXPECT_THROW((void)ranks.all_reduce(tensor, Reduce::Sum), PeerLost);
}

/// Forgets that a thread of our own has a device to choose.
class Careless final : public GpuStreams {
 public:
  explicit Careless(std::shared_ptr<GpuStreams> streams) : streams_(std::move(streams)) {}
  torch::Device device() const noexcept override { return streams_->device(); }
  void use_device() override {}
  c10::Stream current() override { return streams_->current(); }
  c10::Stream communication() override { return streams_->communication(); }
  void* native(c10::Stream stream) override { return streams_->native(stream); }
  std::shared_ptr<Event> record(c10::Stream stream) override { return streams_->record(stream); }
  void wait(c10::Stream stream, Event& event) override { streams_->wait(stream, event); }
  bool finished(Event& event) override { return streams_->finished(event); }
  void keep(const torch::Tensor& tensor, c10::Stream stream) override { streams_->keep(tensor, stream); }

 private:
  std::shared_ptr<GpuStreams> streams_;
};

/// Has any rank but the first worked with the first GPU? A context stays for ever: in this order.
TEST_F(Rehearsal, NoRankMakesAContextOnTheGpuOfAnother) {
  for (const bool careless : {false, true}) {
    if (careless)
      stage.around_streams = [](const auto& streams) { return std::make_shared<Careless>(streams); };
    const auto world = on_stand_in();
    auto tensor = torch::ones({4}, torch::TensorOptions(world->device()));
    world->batch().all_reduce(tensor, Reduce::Sum).wait();
    tensor.sum().item<float>();
    while (world->operations().back()->snapshot().finished == 0)
      std::this_thread::yield();  // the watcher looked
    EXPECT_EQ(has_context(0), control.rank() == 0 || careless);
    world->close();
  }
}

/// All ranks on the stand-in, over NCCL: the reason when they are not.
std::string why_not_together(Rehearsal& on, const WorldConfig& config) {
  on.stage.wire.reset();
  try {
    const auto world = on.on_stand_in(config);
    const bool there = world->device().type() == kType, nccl = on.stage.wire != nullptr;
    world->close();
    return there && nccl ? "" : there ? "MPI carries tensors of GPUs" : "a CPU among GPUs";
  } catch (const AgreedError& error) {
    return std::string(error.kind()) + ", " + error.what();
  }
}

TEST_F(Rehearsal, ARankWithoutAGpuAmongOthersEndsTheStartOnAllOfThem) {
  if (control.size() == 1) GTEST_SKIP() << "one rank has no others";
  const bool broken = control.rank() == control.size() - 1;
  stage.devices = broken ? 0 : kDevices;
  const WorldConfig asked{.deadline = std::chrono::minutes(1)};
  const std::string why = why_not_together(*this, asked);
  EXPECT_NE(why.find("DeviceLost"), std::string::npos) << why;
  EXPECT_NE(why.find("have no usable GPU although the others have one"), std::string::npos) << why;
  // Without a vote each rank takes what it has, as with --device mixed.
  WorldConfig unvoted = asked;
  unvoted.device = "mixed";
  EXPECT_EQ(why_not_together(*this, unvoted), broken ? "a CPU among GPUs" : "MPI carries tensors of GPUs");
}

TEST_F(Rehearsal, RanksThatSeeOneGpuEachTalkOverNccl) {
  stage.devices = 1;
  stage.bus = [this] { return "0000:0" + std::to_string(control.rank()) + ":00.0"; };
  const WorldConfig asked{.deadline = std::chrono::minutes(1)};
  EXPECT_EQ(why_not_together(*this, asked), "");
  // By numbers instead of addresses: a GPU for each rank of the host that this process sees.
  stage.obstacle = [this](const DeviceReports& reports) {
    return reports.size() <= static_cast<std::size_t>(stage.devices) ? "" : "fewer GPUs than ranks";
  };
  EXPECT_EQ(why_not_together(*this, asked), control.size() == 1 ? "" : "MPI carries tensors of GPUs");
}

}  // namespace
}  // namespace facemae::rehearsal
