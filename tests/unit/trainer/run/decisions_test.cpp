#include "trainer/run/decisions.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <limits>

#include "cluster/tensors/alone.h"
#include "core/error.h"
#include "trainer/run/saves.h"

namespace facemae {
namespace {

/// A device whose link was cut: what was issued still comes to an end, with numbers that mean nothing.
class Cut final : public Communicator {
 public:
  int rank() const noexcept override { return 0; }
  int size() const noexcept override { return 1; }
  torch::Device device() const noexcept override { return torch::kCPU; }
  Work all_reduce(torch::Tensor, Reduce) override { return {}; }
  Work all_gather(torch::Tensor, torch::Tensor) override { return {}; }
  Work reduce_scatter(torch::Tensor, torch::Tensor, Reduce) override { return {}; }
  Work broadcast(torch::Tensor, int) override { return {}; }
  void check() override { throw PeerLost("cut"); }
  void check_known() override { throw PeerLost("cut"); }
  void abort() noexcept override {}
};

const torch::Tensor yes = torch::ones({}, torch::kBool), no = torch::zeros({}, torch::kBool);
torch::Tensor norm(double value) { return torch::full({}, value); }

struct DecisionsOf : testing::Test {
  AloneControl control;
  AloneCommunicator alone;
};

TEST_F(DecisionsOf, AHostThatWaitsAreKnownAtOnce) {
  Decisions decisions(control, alone, /*late=*/false);
  EXPECT_EQ(decisions.delay(), 0U);
  EXPECT_FALSE(decisions.next(true));
  decisions.see(yes, norm(2));
  decisions.cast(1, {.stop = true, .saving = Saves::kDue});
  EXPECT_EQ(decisions.skipped().item<float>(), 0);
  const auto first = decisions.next(false);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->step, 1U);
  EXPECT_TRUE(first->vote.stop && !first->vote.not_finite && !first->vote.shard_failed);
  EXPECT_EQ(first->vote.saving, Saves::kDue);
  EXPECT_EQ(first->gradient_norm, 2);
  EXPECT_FALSE(decisions.next(true)) << "each is told once";
  decisions.see(no, norm(std::numeric_limits<double>::infinity()));
  decisions.cast(2, {});
  EXPECT_EQ(decisions.skipped().item<float>(), 1);
  EXPECT_TRUE(decisions.next(false)->vote.not_finite);
}

TEST_F(DecisionsOf, ADeviceAreToldAStepLaterWithEveryFlagAndInOrder) {
  Decisions decisions(control, alone, /*late=*/true);
  EXPECT_EQ(decisions.delay(), 1U);
  const std::vector<Vote> asked = {
      {},
      {.stop = true},
      {.shard_failed = true},
      {.saving = Saves::kBusy},
      {.saving = Saves::kDue},
      {.stop = true, .shard_failed = true, .saving = Saves::kBusy | Saves::kDue}};
  const auto expect = [&](const Decision& decision) {
    const std::uint64_t step = decision.step;
    Vote wanted = asked.at(step - 1);
    wanted.not_finite = step % 2 == 0;
    EXPECT_EQ(decision.vote.bits(), wanted.bits()) << "step " << step;
    EXPECT_EQ(decision.gradient_norm, static_cast<double>(step));
  };
  std::uint64_t told = 0;
  for (std::uint64_t step = 1; step <= asked.size(); ++step) {
    decisions.see(step % 2 == 0 ? no : yes, norm(static_cast<double>(step)));
    decisions.cast(step, asked[step - 1]);
    EXPECT_EQ(decisions.skipped().item<float>(), step % 2 == 0 ? 1 : 0) << "the device knows it now";
    while (const auto decision = decisions.next(false)) {
      EXPECT_EQ(decision->step, ++told);
      expect(*decision);
    }
    EXPECT_EQ(told, step - 1);
  }
  const auto last = decisions.next(/*settle=*/true);
  ASSERT_TRUE(last);
  expect(*last);
  EXPECT_FALSE(decisions.next(true));
}

TEST_F(DecisionsOf, ACutLinkAreNotBelieved) {
  Cut cut;
  Decisions at_once(control, cut, /*late=*/false), late(control, cut, /*late=*/true);
  at_once.see(yes, norm(1));
  EXPECT_THROW(at_once.cast(1, {}), PeerLost);
  for (const bool settle : {true, false}) {
    late.see(yes, norm(1));
    late.cast(1, {});
    if (settle) {
      EXPECT_THROW(late.next(true), PeerLost);
    }
  }
  EXPECT_THROW(late.next(false), PeerLost);
}

}  // namespace
}  // namespace facemae
