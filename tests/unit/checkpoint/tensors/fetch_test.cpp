// State on a device is fetched in few copies beside computing, and saved as the same bytes as state of the host.
#include "checkpoint/tensors/fetch.h"

#include <algorithm>

#include "checkpoint/tensors/saver.h"
#include "checkpoint/tensors/staging.h"
#include "tests/fake_side_stream.h"
#include "tests/unit/checkpoint/tensors/fixture.h"

namespace facemae {
namespace {

using namespace test;
using testing::ElementsAre;

constexpr std::int64_t kParameters = 40;

/// Parameters and two moments of each, interleaved as an optimizer adds them, views of three flat tensors.
struct FlatState {
  std::vector<torch::Tensor> flats;
  Snapshot snapshot = small_state(10);

  FlatState() {
    std::int64_t size = 0;
    for (std::int64_t i = 0; i < kParameters; ++i) size += values_of(i);
    for (int flat = 0; flat < 3; ++flat)
      flats.push_back(values({size}, torch::kFloat32, static_cast<double>(flat)));
    std::int64_t at = size;  // the buckets begin with the last parameter
    for (std::int64_t i = 0; i < kParameters; ++i) {
      at -= values_of(i);
      for (std::size_t flat = 0; flat < 3; ++flat)
        snapshot.replicated.push_back({"flat" + std::to_string(flat) + "." + std::to_string(i),
                                       flats[flat].narrow(0, at, values_of(i)), true});
    }
  }
  static std::int64_t values_of(std::int64_t parameter) { return 3 + 5 * parameter; }
};

StagedFile staged(const Snapshot& state, Staging& staging) {
  staging.lay_out(state, shape_of(state, 0, 1), 0, 1);
  staging.copy_steady();
  staging.collect();
  return staging.file();
}

TEST(Fetch, TakesOneCopyForEachFlatTensor) {
  const FlatState state;
  std::vector<FetchPiece> pieces;
  for (const auto& [name, value, steady] : state.snapshot.replicated)
    if (steady) pieces.push_back({value, {0, value.nbytes()}, 0});
  ASSERT_EQ(pieces.size(), static_cast<std::size_t>(3 * kParameters));
  const auto runs = runs_of(pieces);
  ASSERT_EQ(runs.size(), 3U);
  for (const auto& run : runs) EXPECT_EQ(run.bytes.nbytes(), state.flats[0].nbytes());
}

TEST(Fetch, JoinsPiecesThatPaddingPartsAndNoOthers) {
  const auto flat = torch::zeros({1000}, torch::kFloat32), other = torch::zeros({10}, torch::kFloat32);
  const std::vector<FetchPiece> pieces = {{flat.narrow(0, 0, 10), {0, 40}, 0},
                                          {flat.narrow(0, 26, 4), {4, 8}, 40},    // 68 bytes after it
                                          {flat.narrow(0, 45, 10), {0, 40}, 48},  // 64 bytes after that
                                          {other, {0, 0}, 88},
                                          {other.view({2, 5}).t(), {0, 40}, 88}};
  std::vector<std::size_t> sizes;
  for (const auto& run : runs_of(pieces)) sizes.push_back(run.bytes.nbytes());
  std::sort(sizes.begin(), sizes.end());
  EXPECT_THAT(sizes, ElementsAre(40, 40, 112)) << "the first, the transposed, and two that share a run";
}

TEST(Fetch, StagesTheBytesThatCopiesOfTheHostWouldStage) {
  FlatState state;
  state.snapshot.replicated.push_back(
      {"model.transposed", values({6, 4}, torch::kFloat32, 3).t()});  // C order is not that of its memory
  state.snapshot.by_class = small_state(10, 12, 0, 12).by_class;
  state.snapshot.virtual_shards = 8;
  Staging plain, fetched(std::make_shared<FakeSideStream>());
  const auto expected = staged(state.snapshot, plain), file = staged(state.snapshot, fetched);
  EXPECT_EQ(file.header, expected.header);
  ASSERT_EQ(file.data.size(), expected.data.size());
  EXPECT_TRUE(std::equal(file.data.begin(), file.data.end(), expected.data.begin()));
}

TEST(Fetch, LetsTheDeviceWaitAndNotTheHost) {
  const TemporaryFolder folder;
  const Quiet quiet;
  AloneControl control;
  QuickFiles files;
  const auto side = std::make_shared<FakeSideStream>();
  FlatState live;
  const FlatState before;
  Saver saver(folder.path() / "checkpoints", control, files, side);
  ASSERT_TRUE(saver.begin(live.snapshot, 1));
  for (auto& [name, value, steady] : live.snapshot.replicated)
    if (!steady && value.numel() > 0) value.fill_(1);  // the next forward pass
  saver.wait_copied();
  const auto events = side->take_events();
  EXPECT_EQ(std::count(events.begin(), events.end(), "computing waits"), 2) << "for statistics, for the rest";
  EXPECT_EQ(std::count_if(events.begin(), events.end(), [](const auto& e) { return e.starts_with("copy"); }),
            8 + 3)
      << "one for each tensor on its own that has values, and for each flat one";
  for (auto& flat : live.flats) flat.fill_(-1);  // the optimizer
  saver.settle();
  CheckpointStore store(folder.path(), control, files);
  Snapshot loaded = blank_like(before.snapshot);
  ASSERT_TRUE(load_newest(store, loaded));
  expect_equal(loaded, before.snapshot);
}

}  // namespace
}  // namespace facemae
