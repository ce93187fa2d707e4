#include "checkpoint/history/retention.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/random/keys.h"

namespace facemae {
namespace {

using Indices = std::vector<std::size_t>;

/// Newest first; a letter each: v counts and is verified, c counts only, x does not count.
std::vector<RetainedCheckpoint> of(const std::string& letters) {
  std::vector<RetainedCheckpoint> all;
  for (std::size_t i = 0; i < letters.size(); ++i)
    all.push_back({.id = {10 * (letters.size() - i), 1},
                   .counts = letters[i] != 'x',
                   .verified = letters[i] == 'v',
                   .metric = {}});
  return all;
}

TEST(Retention, KeepsTheLastOnesAndNeverDeletesBeforeTwoNewerAreVerified) {
  EXPECT_EQ(to_delete(of("vvvvv"), {.last = 3}), (Indices{3, 4}));
  EXPECT_EQ(to_delete(of("vvvv"), {.last = 0}), (Indices{2, 3})) << "two stay in any case";
  EXPECT_EQ(to_delete(of("ccccc"), {.last = 2}), Indices{}) << "none is verified";
  EXPECT_EQ(to_delete(of("cvccc"), {.last = 2}), Indices{}) << "one is";
  EXPECT_EQ(to_delete(of("cvcvc"), {.last = 2}), (Indices{4})) << "what is older than two goes";
  EXPECT_EQ(to_delete(of(""), {.last = 3}), Indices{});
}

TEST(Retention, LeavesWhatDoesNotCountUntilTwoMadeAfterItAreVerified) {
  EXPECT_EQ(to_delete(of("xvv"), {.last = 2}), Indices{}) << "storage may not have answered for the newest";
  EXPECT_EQ(to_delete(of("vxvx"), {.last = 2}), (Indices{3}));
  auto left = of("xcvvv");
  left[0].id.start = left[4].id.start = 1;
  for (const std::size_t later : {1, 2, 3}) left[later].id.start = 2;
  EXPECT_EQ(to_delete(left, {.last = 3}), (Indices{0, 4})) << "a branch that was left has later steps";
  left[2].verified = false;
  EXPECT_EQ(to_delete(left, {.last = 4}), Indices{});
}

TEST(Retention, KeepsEveryNthStepAndTheBest) {
  EXPECT_EQ(to_delete(of("vvvvvv"), {.last = 2, .every = 20}), (Indices{3, 5})) << "steps 60 to 10";
  auto measured = of("vvvvvv");
  measured[4].metric = 0.9;
  measured[5].metric = 0.8;
  measured[0].metric = 0.5;
  EXPECT_EQ(to_delete(measured, {.last = 2, .every = 0, .best = true}), (Indices{2, 3, 5}));
  measured[4].counts = false;
  EXPECT_EQ(to_delete(measured, {.last = 2, .every = 0, .best = true}), (Indices{2, 3, 4}))
      << "the best that does not count is not kept";
}

TEST(Retention, NeverLeavesLessThanItPromisesWhateverIsThere) {
  Draws draws(key_of(3, Purpose::Samples));
  for (int round = 0; round < 2000; ++round) {
    std::string letters(draws.below(9), 'v');
    for (auto& letter : letters) letter = "vvcx"[draws.below(4)];
    const auto all = of(letters);
    const RetentionPolicy policy{.last = static_cast<int>(2 + draws.below(3))};
    const auto gone = to_delete(all, policy);
    int counting = 0, kept = 0, verified = 0, kept_verified = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool stays = std::find(gone.begin(), gone.end(), i) == gone.end();
      counting += all[i].counts;
      kept += all[i].counts && stays;
      verified += all[i].counts && all[i].verified;
      kept_verified += all[i].counts && all[i].verified && stays;
    }
    EXPECT_GE(kept, std::min(counting, policy.last)) << letters;
    EXPECT_GE(kept_verified, std::min(verified, 2)) << letters;
  }
}

}  // namespace
}  // namespace facemae
