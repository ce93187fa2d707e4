// States with infinities or values that are no numbers: never committed, never believed.
#include "checkpoint/format/finite.h"

#include <limits>

#include "checkpoint/history/catalogue.h"
#include "checkpoint/history/commit.h"
#include "checkpoint/history/discover.h"
#include "checkpoint/tensors/staging.h"
#include "checkpoint/tensors/state.h"
#include "checkpoint/tensors/weights.h"
#include "cluster/host/agree.h"
#include "tests/unit/checkpoint/tensors/fixture.h"

namespace facemae {
namespace {

using namespace test;
using testing::AllOf;
using testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(),
                 kInf = std::numeric_limits<double>::infinity();

TEST(Finite, FindsOneValueInEveryFloatingType) {
  for (const auto type : {torch::kFloat32, torch::kFloat64, torch::kFloat16, torch::kBFloat16})
    for (const double odd : {kNan, -kNan, kInf, -kInf})
      for (const std::int64_t at : {0, 500, 1000}) {
        const auto value = torch::full({1001}, 3.5, type);
        value[3] = type == torch::kFloat16 ? 65504.0 : 3e38;
        value[4] = -1e-40;
        EXPECT_TRUE(all_finite(value));
        value[at] = odd;
        EXPECT_FALSE(all_finite(value)) << c10::toString(type) << " " << odd << " at " << at;
        EXPECT_FALSE(all_finite(value.view({7, 143}).t())) << "not contiguous";
      }
}

TEST(Finite, IntegersAndNothingAtAllAreFinite) {
  EXPECT_TRUE(all_finite(torch::full({9}, -1, torch::kInt64)));
  EXPECT_TRUE(all_finite(torch::full({9}, -1, torch::kInt16)));
  EXPECT_TRUE(all_finite(torch::empty({0, 3})));
}

/// A state of each kind of tensor, one value of which is spoilt.
Snapshot spoilt(std::uint64_t step, bool by_class, double value = kNan) {
  Snapshot state = small_state(step, 12, 0, 12);
  torch::Tensor odd = by_class ? state.by_class[0].rows : state.replicated[1].value;
  odd.view({-1})[odd.numel() - 1] = value;
  return state;
}

TEST(Finite, SuchAStateEndsTheRunAndIsNotCommitted) {
  const Quiet quiet;
  for (const bool by_class : {false, true}) {
    const TemporaryFolder folder;
    AloneControl control;
    QuickFiles files;
    CheckpointStore store(folder.path(), control, files);
    ASSERT_TRUE(store.save(small_state(10, 12, 0, 12), 1));
    try {
      store.save(spoilt(20, by_class), 1);
      FAIL() << "it was saved";
    } catch (const AgreedError& error) {
      EXPECT_EQ(error.code(), ExitCode::DoNotRequeue);
      EXPECT_EQ(error.kind(), "Diverged");
      EXPECT_THAT(error.what(),
                  AllOf(HasSubstr("step 20: "), HasSubstr(by_class ? "centres" : "model.wide")));
    }
    EXPECT_EQ(list_checkpoints(folder.path() / "checkpoints").size(), 1u) << "no debris";
    CheckpointStore later(folder.path(), control, files);
    Snapshot loaded = blank_like(small_state(10, 12, 0, 12));
    ASSERT_TRUE(load_newest(later, loaded));
    expect_equal(loaded, small_state(10, 12, 0, 12));
  }
}

TEST(Finite, BesideTrainingTooTheNextVoteEndsTheRun) {
  const Quiet quiet;
  const TemporaryFolder folder;
  AloneControl control;
  QuickFiles files;
  Saver saver(folder.path() / "checkpoints", control, files);
  ASSERT_TRUE(saver.begin(spoilt(20, false, kInf), 1));
  saver.wait_copied();
  const auto go_on = [&] {
    while (saver.in_flight()) saver.advance(saver.busy());
  };
  EXPECT_THROW(go_on(), AgreedError);
  EXPECT_FALSE(saver.last_committed());
  EXPECT_TRUE(list_checkpoints(folder.path() / "checkpoints").empty());
}

/// What programs committed that did not look.
void commit_unseen(const Path& run, const Snapshot& state) {
  QuickFiles files;
  const StateShape shape = shape_of(state, 0, 1);
  Staging staging;
  staging.lay_out(state, shape, 0, 1);
  staging.copy_steady();
  const CheckpointId id{state.step, 1};
  const Path folder = run / "checkpoints" / folder_name(id);
  std::filesystem::create_directories(folder);
  Manifest draft;
  draft.id = id;
  draft.samples = state.samples;
  draft.world = draft.threads = 1;
  draft.virtual_shards = state.virtual_shards;
  draft.run_state = state.run_state;
  draft.config = state.config;
  draft.dataset_digest = state.dataset_digest;
  draft.model_hash = state.model_hash;
  const auto report = write_staged(files, folder, staging.file());
  commit(files, run / "checkpoints", merge_reports(draft, shape, {serialise(report)}));
}

TEST(Finite, OneThatWasCommittedAllTheSameIsPassedOverWhenARunGoesOn) {
  const Quiet quiet;
  for (const bool by_class : {false, true}) {
    const TemporaryFolder folder;
    commit_unseen(folder.path(), small_state(10, 12, 0, 12));
    commit_unseen(folder.path(), spoilt(20, by_class));
    AloneControl control;
    QuickFiles files;
    CheckpointStore store(folder.path(), control, files);
    Snapshot loaded = blank_like(small_state(10, 12, 0, 12));
    std::vector<std::string> reasons;
    const auto info = load_newest(store, loaded, &reasons);
    ASSERT_TRUE(info);
    EXPECT_EQ(info->step, 10u);
    EXPECT_THAT(reasons, testing::ElementsAre(HasSubstr("not finite")));
    expect_equal(loaded, small_state(10, 12, 0, 12));
  }
}

TEST(Finite, WeightsThatAreNotAreRefusedWhereverTheyLie) {
  const TemporaryFolder folder;
  commit_unseen(folder.path(), small_state(10));
  EXPECT_NO_THROW(read_weights(folder.path()));
  commit_unseen(folder.path(), spoilt(20, false));
  for (const Path& from : {folder.path(), folder.path() / "checkpoints/s000000020.a01"}) {
    try {
      read_weights(from);
      FAIL() << from << " was read";
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(),
                  AllOf(HasSubstr("step 20"), HasSubstr("1 of 5 tensors"), HasSubstr("(wide)")));
    }
  }
  EXPECT_NO_THROW(read_weights(folder.path() / "checkpoints/s000000010.a01"));
  const auto faults = [&](const char* name) {
    return verify_checkpoint(folder.path() / "checkpoints" / name, [](std::uint64_t) {});
  };
  EXPECT_THAT(faults("s000000020.a01"), testing::ElementsAre(HasSubstr("model.wide holds values")));
  EXPECT_THAT(faults("s000000010.a01"), testing::IsEmpty());
  write_safetensors(real_files(), folder / "w.safetensors",
                    {{"a", torch::full({3}, kInf)}, {"b", torch::ones({3})}});
  EXPECT_THROW(read_weights(folder / "w.safetensors"), DataError);
}

}  // namespace
}  // namespace facemae
