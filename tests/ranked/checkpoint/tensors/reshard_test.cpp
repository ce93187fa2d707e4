// Saved by W ranks, loaded by W': equal tensors and equal roots.
#include <limits>
#include <mutex>
#include <set>

#include "checkpoint/format/layout.h"
#include "checkpoint/history/discover.h"
#include "checkpoint/tensors/safetensors.h"
#include "cluster/host/agree.h"
#include "tests/ranked/checkpoint/tensors/thread_communicator.h"
#include "tests/ranked/checkpoint/tensors/thread_control.h"
#include "tests/unit/checkpoint/tensors/fixture.h"

namespace facemae {
namespace {

using namespace test;

/// The state of one rank: 8 virtual shards, so no world of 3 divides them; one tensor is larger than a leaf.
Snapshot state_of(std::uint64_t step, std::int64_t classes, const Control& control) {
  const RowRange rows = rows_of_rank(classes, 8, control.rank(), control.size());
  Snapshot state = small_state(step, classes, rows.first, rows.count);
  state.replicated.push_back(
      {"model.big", torch::arange((4 << 20) + 3, torch::kInt32).add_(static_cast<int>(step))});
  const torch::Tensor moments = values({classes}, torch::kFloat64, static_cast<double>(step) + 7);
  state.by_class.push_back(
      {"moments", moments.slice(0, rows.first, rows.first + rows.count).clone(), rows.first, classes});
  return state;
}

TEST(Reshard, EveryWorldLoadsWhatEveryWorldSavedWithTheSameRoot) {
  const Quiet quiet;
  QuickFiles files;
  for (const std::int64_t classes : {101, 5}) {
    std::set<std::string> roots;
    for (const int saved_by : {1, 2, 3, 4, 5, 6}) {
      const TemporaryFolder folder;
      run_ranks(saved_by, [&](Control& control) {
        CheckpointStore store(folder.path(), control, files);
        EXPECT_TRUE(store.save(state_of(10, classes, control), 1));
      });
      for (const int loaded_by : {1, 2, 3, 4, 5, 6}) {
        std::mutex mutex;
        run_ranks(loaded_by, [&](Control& control) {
          CheckpointStore store(folder.path(), control, files);
          const Snapshot expected = state_of(10, classes, control);
          Snapshot loaded = blank_like(expected);
          const auto info = load_newest(store, loaded);
          const std::lock_guard lock(mutex);
          ASSERT_TRUE(info);
          EXPECT_EQ(info->world, saved_by);
          expect_equal(loaded, expected);
          roots.insert(info->root_hash);
        });
      }
    }
    EXPECT_EQ(roots.size(), 1u) << "the root depends on the world";
  }
}

/// What a communicator of GPUs meets: tensors that live in host memory. Here all are
/// foreign to one of "meta".
TEST(Reshard, TensorsOfAnotherDeviceAreReadByEveryRankAndNeverTravel) {
  const Quiet quiet;
  const TemporaryFolder folder;
  QuickFiles files;
  run_ranks(2, [&](Control& control) {
    CheckpointStore store(folder.path(), control, files);
    EXPECT_TRUE(store.save(state_of(10, 101, control), 1));
  });
  for (const int loaded_by : {1, 2, 3})
    for (const torch::Device device : {torch::Device(torch::kCPU), torch::Device(torch::kMeta)}) {
      std::mutex mutex;
      run_ranks(loaded_by, [&](Control& control) {
        ThreadCommunicator ranks(control, device);
        CheckpointStore store(folder.path(), control, files, &ranks);
        const Snapshot expected = state_of(10, 101, control);
        Snapshot loaded = blank_like(expected);
        std::vector<std::string> reasons;
        const auto info = load_newest(store, loaded, &reasons);
        const std::lock_guard lock(mutex);
        EXPECT_THAT(reasons, testing::IsEmpty()) << device;
        ASSERT_TRUE(info);
        expect_equal(loaded, expected);
        EXPECT_EQ(ranks.broadcasts > 0, device.is_cpu());
      });
    }
}

/// The same values with all channels of a pixel together.
Snapshot channels_last(Snapshot state) {
  for (auto& tensor : state.replicated)
    if (tensor.value.dim() == 4) tensor.value = tensor.value.contiguous(torch::MemoryFormat::ChannelsLast);
  return state;
}

TEST(Reshard, MemoryFormatsAreNotSavedAndSlicesTravelInAny) {
  const Quiet quiet;
  QuickFiles files;
  const auto state = [] {
    Snapshot all = small_state(10);
    for (const char* name : {"model.conv", "optimizer.momentum_buffer.conv"})
      all.replicated.push_back({name, values({6, 4, 3, 3}, torch::kFloat32, 3)});
    return all;
  };
  std::set<std::string> roots;
  for (const bool saved_last : {false, true}) {
    const TemporaryFolder folder;
    run_ranks(2, [&](Control& control) {
      CheckpointStore store(folder.path(), control, files);
      EXPECT_TRUE(store.save(saved_last ? channels_last(state()) : state(), 1));
    });
    for (const int loaded_by : {1, 3}) {
      std::mutex mutex;
      run_ranks(loaded_by, [&](Control& control) {
        ThreadCommunicator ranks(control, torch::kCPU);
        CheckpointStore store(folder.path(), control, files, &ranks);
        Snapshot loaded = channels_last(blank_like(state()));
        const torch::Tensor live = loaded.replicated.back().value;
        const auto info = load_newest(store, loaded);
        const std::lock_guard lock(mutex);
        ASSERT_TRUE(info);
        expect_equal(loaded, state());
        EXPECT_TRUE(torch::equal(live, state().replicated.back().value)) << "the trained tensor itself";
        EXPECT_TRUE(live.is_contiguous(torch::MemoryFormat::ChannelsLast));
        roots.insert(info->root_hash);
      });
    }
  }
  EXPECT_EQ(roots.size(), 1u) << "the root depends on the memory format";
}

TEST(Reshard, ALinkThatFailsWhileSlicesTravelSaysNothingAgainstTheCheckpoint) {
  const Quiet quiet;
  const TemporaryFolder folder;
  QuickFiles files;
  run_ranks(2, [&](Control& control) {
    CheckpointStore store(folder.path(), control, files);
    EXPECT_TRUE(store.save(state_of(10, 101, control), 1));
  });
  run_ranks(2, [&](Control& control) {
    ThreadCommunicator ranks(control, torch::kCPU);
    ranks.lost = true;
    CheckpointStore store(folder.path(), control, files, &ranks);
    Snapshot loaded = blank_like(state_of(10, 101, control));
    const auto info = store.newest();
    ASSERT_TRUE(info);
    EXPECT_THROW(store.restore(*info, loaded), PeerLost);
    EXPECT_EQ(ranks.checks, 1);
    ASSERT_TRUE(store.newest());
    EXPECT_EQ(store.newest()->folder, info->folder) << "it was distrusted";
  });
}

TEST(Reshard, ReplicatedBytesAreWrittenOnceAndSharedBetweenTheRanks) {
  const Quiet quiet;
  const TemporaryFolder folder;
  QuickFiles files;
  run_ranks(3, [&](Control& control) {
    CheckpointStore store(folder.path(), control, files);
    EXPECT_TRUE(store.save(state_of(10, 101, control), 1));
  });
  const Path checkpoint = folder.path() / "checkpoints/s000000010.a01";
  const Manifest manifest = parse_manifest(valid_manifest_bytes(checkpoint));
  EXPECT_EQ(manifest.files.size(), 3u);
  std::uint64_t stored = 0, needed = 0;
  for (const auto& file : manifest.files) {
    stored += file.bytes - file.header_bytes;
    EXPECT_LE(file.bytes, (20u << 20) / 3 + kLeafBytes) << file.name << " is out of balance";
    EXPECT_FALSE(read_safetensors(checkpoint / file.name).empty());
  }
  for (const auto& tensor : manifest.tensors) needed += tensor_bytes(tensor);
  EXPECT_EQ(stored, needed);
  EXPECT_GT(manifest.find("model.big")->pieces.size(), 1u);
}

TEST(Reshard, DamageThatOneRankSeesIsKnownToAllAndTheOneBeforeIsRestored) {
  const Quiet quiet;
  const TemporaryFolder folder;
  QuickFiles files;
  run_ranks(3, [&](Control& control) {
    CheckpointStore store(folder.path(), control, files);
    EXPECT_TRUE(store.save(state_of(10, 101, control), 1));
    EXPECT_TRUE(store.save(state_of(20, 101, control), 1));
  });
  // The last bytes of the last rank's first tensor: its centres or moments, which only one rank reads.
  const Path checkpoint = folder.path() / "checkpoints/s000000020.a01";
  const Manifest manifest = parse_manifest(valid_manifest_bytes(checkpoint));
  const ManifestPiece& last = manifest.find("moments")->pieces.back();
  const Path file = checkpoint / manifest.files[last.file].name;
  std::string bytes = read_file(file);
  bytes[last.offset + last.range.bytes - 1] ^= 1;
  overwrite(file, bytes);
  run_ranks(3, [&](Control& control) {
    CheckpointStore store(folder.path(), control, files);
    Snapshot loaded = blank_like(state_of(10, 101, control));
    std::vector<std::string> reasons;
    const auto info = load_newest(store, loaded, &reasons);
    EXPECT_EQ(info->step, 10u);
    EXPECT_EQ(reasons.size(), 1u);
    EXPECT_THAT(reasons.at(0), testing::HasSubstr("rank 2: tensor moments is damaged"));
    expect_equal(loaded, state_of(10, 101, control));
  });
}

TEST(Reshard, ADiskThatIsFullOnAnyRankFailsTheSaveOnAllAndTheNextOneSucceeds) {
  const Quiet quiet;
  for (const int unlucky : {0, 1, 2})
    for (const std::int64_t operation : {0, 1, 4}) {
      const TemporaryFolder folder;
      run_ranks(3, [&](Control& control) {
        FailingFiles files;
        CheckpointStore store(folder.path(), control, files);
        EXPECT_TRUE(store.save(state_of(10, 101, control), 1));
        if (control.rank() == unlucky) files.fail_at = files.operations + operation;
        EXPECT_FALSE(store.save(state_of(20, 101, control), 1));
        EXPECT_TRUE(store.save(state_of(30, 101, control), 1));
        EXPECT_EQ(store.newest()->step, 30u);
      });
      EXPECT_FALSE(std::filesystem::exists(folder.path() / "checkpoints/s000000020.a01"));
    }
}

/// Two ranks, the second of which has a disk of its own under the run's path; `meanwhile` is done
/// on it while it waits.
void save_on_two_disks(const Path& root, std::chrono::milliseconds patience,
                       const std::function<void(CheckpointStore&, Control&)>& use,
                       const std::function<void()>& meanwhile = {}) {
  run_ranks(2, [&](Control& control) {
    QuickFiles files;
    CheckpointStore store(root / (control.rank() == 0 ? "shared" : "own"), control, files);
    store.saver().show_patience = patience;
    if (control.rank() == 1) store.saver().while_waiting = meanwhile;
    use(store, control);
  });
}

TEST(Reshard, ACommitCountsOnlyWhenRank0HasSeenEveryFile) {
  const Quiet quiet;
  const TemporaryFolder folder;
  const Path there = folder / "shared/checkpoints/s000000020.a01",
             own = folder / "own/checkpoints/s000000020.a01";
  const auto never = [](CheckpointStore& store, Control& control) {
    EXPECT_FALSE(store.save(state_of(20, 101, control), 1));
    EXPECT_FALSE(store.saver().last_committed());
    EXPECT_FALSE(store.newest()) << "no history, either";
    EXPECT_FALSE(store.save(state_of(30, 101, control), 1));
    try {
      store.save(state_of(40, 101, control), 1);
      FAIL() << "it goes on for ever";
    } catch (const Unresumable& error) {
      EXPECT_THAT(error.what(), testing::HasSubstr("r00001.safetensors is not there"));
      EXPECT_THAT(error.what(), testing::HasSubstr("storage that all nodes share?"));
    }
  };
  save_on_two_disks(folder.path(), std::chrono::milliseconds(50), never);
  EXPECT_TRUE(list_checkpoints(folder / "shared/checkpoints").empty()) << "what was begun is gone";

  // Something of that name is there, but not what was written.
  std::filesystem::create_directories(there);
  overwrite(there / "r00001.safetensors", "123");
  save_on_two_disks(folder.path(), std::chrono::milliseconds(50),
                    [](CheckpointStore& store, Control& control) {
                      EXPECT_FALSE(store.save(state_of(20, 101, control), 1));
                    });
  EXPECT_FALSE(std::filesystem::exists(there / "COMMIT"));

  // It shows late.
  const auto show = [&] {
    std::error_code not_yet;
    std::filesystem::copy_file(own / "r00001.safetensors", there / "r00001.safetensors",
                               std::filesystem::copy_options::overwrite_existing, not_yet);
  };
  save_on_two_disks(
      folder.path(), std::chrono::minutes(1),
      [](CheckpointStore& store, Control& control) {
        EXPECT_TRUE(store.save(state_of(20, 101, control), 1));
        EXPECT_EQ(store.newest()->step, 20u);
      },
      show);
}

TEST(Reshard, AStateThatIsNotFiniteOnOneRankEndsAllAndIsNotCommitted) {
  const Quiet quiet;
  for (const int unlucky : {0, 2}) {
    const TemporaryFolder folder;
    run_ranks(3, [&](Control& control) {
      QuickFiles files;
      CheckpointStore store(folder.path(), control, files);
      EXPECT_TRUE(store.save(state_of(10, 101, control), 1));
      Snapshot state = state_of(20, 101, control);
      if (control.rank() == unlucky) state.by_class[0].rows[1][2] = std::numeric_limits<float>::infinity();
      EXPECT_THAT(
          [&] { store.save(state, 1); },
          testing::ThrowsMessage<AgreedError>(testing::HasSubstr(fmt::format("rank {}: centres", unlucky))));
      EXPECT_EQ(store.newest()->step, 10u);
    });
    EXPECT_FALSE(std::filesystem::exists(folder.path() / "checkpoints/s000000020.a01"));
  }
}

TEST(Reshard, RanksThatHoldDifferentTensorsAreRefusedOnAll) {
  const Quiet quiet;
  const TemporaryFolder folder;
  QuickFiles files;
  run_ranks(2, [&](Control& control) {
    CheckpointStore store(folder.path(), control, files);
    Snapshot state = state_of(10, 101, control);
    if (control.rank() == 1) state.replicated[0].value = torch::zeros({1});
    EXPECT_THROW(store.save(state, 1), ConfigError);
    state = state_of(10, 101, control);
    if (control.rank() == 1) state.step = 11;
    EXPECT_THROW(store.save(state, 1), ConfigError);
  });
}

}  // namespace
}  // namespace facemae
