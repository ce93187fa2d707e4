#include "checkpoint/tensors/store.h"

#include "checkpoint/format/commit_record.h"
#include "checkpoint/history/commit.h"
#include "checkpoint/history/discover.h"
#include "checkpoint/history/fences.h"
#include "checkpoint/history/tidy.h"
#include "checkpoint/tensors/safetensors.h"
#include "cluster/tensors/alone.h"
#include "tests/unit/checkpoint/tensors/fixture.h"

namespace facemae {
namespace {

using namespace test;

std::vector<std::string> names_in(const Path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

class CheckpointStoreTest : public testing::Test {
 protected:
  CheckpointStore store() { return {run(), control_, files_}; }
  Path run() const { return folder_.path() / "run"; }
  Path checkpoints() const { return run() / "checkpoints"; }

  TemporaryFolder folder_;
  AloneControl control_;
  QuickFiles files_;
  Quiet quiet_;
};

TEST_F(CheckpointStoreTest, ANewRunHasNothing) { EXPECT_FALSE(store().newest()); }

TEST_F(CheckpointStoreTest, RestoresWhatWasSavedInANewProcess) {
  const Snapshot state = small_state(1200, 20, 0, 20);
  ASSERT_TRUE(store().save(state, 3));
  EXPECT_EQ(names_in(checkpoints() / "s000001200.a03"),
            (std::vector<std::string>{"COMMIT", "MANIFEST.pb", "VERIFIED", "r00000.safetensors"}));
  EXPECT_EQ(read_file(checkpoints() / "LATEST"), "s000001200.a03\n");
  EXPECT_FALSE(std::filesystem::exists(checkpoints() / "HISTORY")) << "the first save leaves no line";

  auto later = store();
  const auto info = later.newest();
  ASSERT_TRUE(info);
  EXPECT_EQ(info->step, 1200u);
  EXPECT_EQ(info->start, 3u);
  EXPECT_EQ(info->samples, 1200u * 64);
  EXPECT_EQ(info->world, 1);
  EXPECT_EQ(info->config, state.config);
  EXPECT_EQ(info->model_hash, "tiny");
  EXPECT_EQ(info->dataset_digest, "d1");
  Snapshot loaded = blank_like(state);
  EXPECT_EQ(later.restore(*info, loaded), std::nullopt);
  expect_equal(loaded, state);
}

TEST_F(CheckpointStoreTest, RestoresIntoTheGivenTensorsOfAnyLayout) {
  Snapshot state = small_state(5);
  ASSERT_TRUE(store().save(state, 1));
  auto later = store();
  Snapshot loaded = blank_like(state);
  torch::Tensor turned = torch::zeros({5, 7}).t().requires_grad_();
  loaded.replicated[0].value = turned;
  EXPECT_EQ(later.restore(*later.newest(), loaded), std::nullopt);
  EXPECT_TRUE(torch::equal(turned, state.replicated[0].value));
  EXPECT_EQ(turned.strides().vec(), (std::vector<std::int64_t>{1, 7}));
  EXPECT_TRUE(turned.requires_grad());
}

TEST_F(CheckpointStoreTest, FilesAreReadableAsSafetensorsUnderTheirNames) {
  const Snapshot state = small_state(5, 20, 0, 20);
  ASSERT_TRUE(store().save(state, 1));
  std::map<std::string, torch::Tensor> read;
  for (auto& [name, value] : read_safetensors(checkpoints() / "s000000005.a01/r00000.safetensors"))
    read[name] = value;
  EXPECT_EQ(read.size(), state.replicated.size() + 1);
  for (const auto& tensor : state.replicated)
    EXPECT_TRUE(torch::equal(read.at(tensor.name), tensor.value)) << tensor.name;
  EXPECT_TRUE(torch::equal(read.at("centres"), state.by_class[0].rows));
}

TEST_F(CheckpointStoreTest, KeepsTheLastOnesAndWritesHistoryFromTheSecondSaveOn) {
  auto first = store();
  first.saver().keep({.last = 1});  // two are kept in any case
  for (std::uint64_t step = 1; step <= 5; ++step) ASSERT_TRUE(first.save(small_state(step), 1));
  EXPECT_EQ(names_in(checkpoints()),
            (std::vector<std::string>{"HISTORY", "LATEST", "s000000004.a01", "s000000005.a01"}));
  const std::string history = read_file(checkpoints() / "HISTORY");
  EXPECT_EQ(std::count(history.begin(), history.end(), '\n'), 4);
  EXPECT_THAT(history, testing::StartsWith("s000000002.a01 step 2 samples 128 root "));
}

TEST_F(CheckpointStoreTest, RecordsTheCheckpointThatItContinues) {
  auto first = store();
  ASSERT_TRUE(first.save(small_state(10), 1));
  auto second = store();
  Snapshot loaded = blank_like(small_state(10));
  ASSERT_TRUE(load_newest(second, loaded));
  ASSERT_TRUE(second.save(small_state(20), 2));
  const Manifest manifest = parse_manifest(valid_manifest_bytes(checkpoints() / "s000000020.a02"));
  EXPECT_EQ(manifest.parent, (CheckpointId{10, 1}));
}

TEST_F(CheckpointStoreTest, LeavesAStepThatIsCommittedAlready) {
  auto first = store();
  ASSERT_TRUE(first.save(small_state(10), 1));
  const auto before = read_file(checkpoints() / "s000000010.a01/COMMIT");
  EXPECT_TRUE(first.save(small_state(10), 1));
  EXPECT_EQ(read_file(checkpoints() / "s000000010.a01/COMMIT"), before);
}

TEST_F(CheckpointStoreTest, IgnoresUnfinishedFoldersAndRemovesThemAtTheNextSave) {
  ASSERT_TRUE(store().save(small_state(10), 1));
  const Path debris = checkpoints() / "s000000020.a01";
  std::filesystem::create_directory(debris);
  overwrite(debris / "r00000.safetensors", "half");
  overwrite(debris / "COMMIT.tmp", "half");
  auto later = store();
  EXPECT_EQ(later.newest()->step, 10u);
  ASSERT_TRUE(later.save(small_state(30), 2));
  EXPECT_FALSE(std::filesystem::exists(debris));
}

TEST_F(CheckpointStoreTest, RefusesACheckpointOfAnotherModel) {
  ASSERT_TRUE(store().save(small_state(10), 1));
  auto later = store();
  Snapshot other = small_state(0);
  other.model_hash = "large";
  try {
    later.restore(*later.newest(), other);
    FAIL() << "restored";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("checkpoint of another model"));
  }
}

TEST_F(CheckpointStoreTest, ListsAllTensorsThatDoNotFit) {
  ASSERT_TRUE(store().save(small_state(10, 20, 0, 20), 1));
  auto later = store();
  Snapshot other = small_state(0, 24, 0, 24);
  other.replicated[0].value = torch::zeros({5, 7});
  other.replicated[1].value = torch::zeros({3, 2}, torch::kFloat32);
  other.replicated[2].name = "model.new";
  other.virtual_shards = 4;
  try {
    later.restore(*later.newest(), other);
    FAIL() << "restored";
  } catch (const ConfigError& error) {
    const std::string what = error.what();
    EXPECT_THAT(what,
                testing::HasSubstr("model.weight is F32 [7, 5] in the checkpoint, but F32 [5, 7] here"));
    EXPECT_THAT(what, testing::HasSubstr("model.wide is F64"));
    EXPECT_THAT(what, testing::HasSubstr("model.new is not in the checkpoint"));
    EXPECT_THAT(what, testing::HasSubstr("model.half is in the checkpoint, but not here"));
    EXPECT_THAT(what, testing::HasSubstr("centres is F32 [20, 6] by class"));
    EXPECT_THAT(what, testing::HasSubstr("8 virtual shards"));
    EXPECT_THAT(what, testing::HasSubstr("--init "));
  }
}

TEST_F(CheckpointStoreTest, RefusesStatesThatCannotBeSaved) {
  auto first = store();
  Snapshot twice = small_state(1);
  twice.replicated[1].name = twice.replicated[0].name;
  EXPECT_THROW(first.save(twice, 1), ConfigError);
  Snapshot odd = small_state(1);
  odd.replicated[0].name = "a#b";
  EXPECT_THROW(first.save(odd, 1), ConfigError);
  EXPECT_THROW(first.save(small_state(1, 20, 0, 19), 1), ConfigError) << "rows of a class are missing";
}

TEST_F(CheckpointStoreTest, SplitsLeavesOfTensorsAboveEightMebibytes) {
  Snapshot state;
  state.step = 1;
  state.model_hash = "tiny";
  state.replicated = {{"big", torch::arange(3 * (1 << 20) + 5, torch::kInt64)}, {"one", torch::ones({1})}};
  ASSERT_TRUE(store().save(state, 1));
  const Manifest manifest = parse_manifest(valid_manifest_bytes(checkpoints() / "s000000001.a01"));
  ASSERT_EQ(manifest.find("big")->pieces.size(), 1u);
  EXPECT_EQ(manifest.find("big")->pieces[0].leaves.size(), 4u);
  auto later = store();
  Snapshot loaded = blank_like(state);
  ASSERT_TRUE(load_newest(later, loaded));
  expect_equal(loaded, state);
}

TEST_F(CheckpointStoreTest, ACommitOfOneStepForTheManifestOfAnotherIsRefused) {
  ASSERT_TRUE(store().save(small_state(10), 1));
  const Path other = checkpoints() / "s000000020.a01";
  std::filesystem::copy(checkpoints() / "s000000010.a01", other);
  CommitRecord commit = parse_commit(read_file(other / "COMMIT"));
  commit.id.step = 20;
  overwrite(other / "COMMIT", serialise(commit));
  EXPECT_EQ(store().newest()->step, 10u);
}

TEST_F(CheckpointStoreTest, AManifestThatReadersWouldRefuseIsNeverCommitted) {
  ASSERT_TRUE(store().save(small_state(10), 1));
  Manifest manifest = parse_manifest(valid_manifest_bytes(checkpoints() / "s000000010.a01"));
  manifest.id.step = 20;
  manifest.root.low ^= 1;
  std::filesystem::copy(checkpoints() / "s000000010.a01", checkpoints() / "s000000020.a01");
  std::filesystem::remove(checkpoints() / "s000000020.a01/COMMIT");
  EXPECT_THROW(commit(files_, checkpoints(), manifest), CheckpointError);
  EXPECT_FALSE(std::filesystem::exists(checkpoints() / "s000000020.a01/COMMIT"));
}

/// A network that turns a bit of what passes through it.
class BadNetwork final : public Communicator {
 public:
  int rank() const noexcept override { return 0; }
  int size() const noexcept override { return 1; }
  torch::Device device() const noexcept override { return torch::kCPU; }
  Work all_reduce(torch::Tensor tensor, Reduce op) override { return alone_.all_reduce(tensor, op); }
  Work all_gather(torch::Tensor out, torch::Tensor in) override { return alone_.all_gather(out, in); }
  Work reduce_scatter(torch::Tensor out, torch::Tensor in, Reduce op) override {
    return alone_.reduce_scatter(out, in, op);
  }
  Work broadcast(torch::Tensor tensor, int /*root*/) override {
    if (broken && tensor.numel() > 0) *static_cast<std::uint8_t*>(tensor.mutable_data_ptr()) ^= 4;
    return {};
  }
  void abort() noexcept override {}
  bool broken = true;

 private:
  AloneCommunicator alone_;
};

TEST_F(CheckpointStoreTest, WhatIsInMemoryIsComparedAfterItCameOverTheNetwork) {
  const Snapshot state = small_state(10);
  ASSERT_TRUE(store().save(state, 1));
  BadNetwork network;
  for (const bool broken : {true, false}) {
    network.broken = broken;
    CheckpointStore later(run(), control_, files_, &network);
    Snapshot loaded = blank_like(state);
    const auto reason = later.restore(*later.newest(), loaded);
    if (broken)
      EXPECT_THAT(reason.value_or(""),
                  testing::HasSubstr("changed between reading and checking it in memory"));
    else
      EXPECT_EQ(reason, std::nullopt);
  }
}

TEST_F(CheckpointStoreTest, WhatWasRestoredInFullIsStampedAsVerified) {
  const Snapshot state = small_state(10);
  ASSERT_TRUE(store().save(state, 1));
  const Path folder = checkpoints() / "s000000010.a01";
  std::filesystem::remove(folder / "VERIFIED");
  auto later = store();
  Snapshot loaded = blank_like(state);
  ASSERT_TRUE(load_newest(later, loaded));
  EXPECT_FALSE(is_verified(folder));
  later.saver().confirm(*later.restored(), 2, /*read_in_full=*/false);
  EXPECT_FALSE(is_verified(folder)) << "classes were left out";
  EXPECT_TRUE(later.restored_in_full());
  later.saver().confirm(*later.restored(), 2, later.restored_in_full());
  EXPECT_TRUE(is_verified(folder));
  overwrite(folder / "VERIFIED", read_file(folder / "VERIFIED").substr(0, 9));
  EXPECT_FALSE(is_verified(folder)) << "a torn stamp is none";
}

TEST_F(CheckpointStoreTest, AReplacedStartNeitherStampsNorRemoves) {
  auto first = store();
  first.saver().keep({.last = 9});
  for (std::uint64_t step = 1; step <= 4; ++step) ASSERT_TRUE(first.save(small_state(step), 1));
  Fence later{.start = 2};
  claim_start(files_, checkpoints(), 2, later);
  const Path newest = checkpoints() / "s000000004.a01";
  std::filesystem::remove(newest / "VERIFIED");
  tidy(files_, checkpoints(), {4, 1}, 1, /*verified=*/true, {.last = 2}, {});
  EXPECT_FALSE(is_verified(newest));
  EXPECT_EQ(list_checkpoints(checkpoints()).size(), 4u);
  EXPECT_TRUE(apply_retention(files_, checkpoints(), {.last = 2}, {}, 1).empty());
  EXPECT_EQ(apply_retention(files_, checkpoints(), {.last = 2}, {}, 2).size(), 1u) << "4 has no stamp";
}

}  // namespace
}  // namespace facemae
