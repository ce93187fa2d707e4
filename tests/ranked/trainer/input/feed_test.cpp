// A shard that one rank cannot read any more is quarantined on all ranks from one step on, and a later start
// on any number of ranks sees the same rows.
#include "trainer/input/feed.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <set>

#include "cluster/host/agree.h"
#include "cluster/mpi/mpi_control.h"
#include "core/error.h"
#include "core/log.h"
#include "data/image/image.h"
#include "tests/fake_side_stream.h"

namespace facemae {
namespace {

constexpr std::uint64_t kRows = 60, kShardRows = 20, kBatch = 12;
constexpr int kSide = 16;

/// Rows are their own labels; shard 1 may be unreadable.
class MemoryStore final : public Store {
 public:
  explicit MemoryStore(bool shard_1_fails) : fails_(shard_1_fails) {
    for (int s = 0; s < 3; ++s)
      shards_.push_back({.file = "shard-" + std::to_string(s), .images = kShardRows, .bytes = 1000});
    picture_ = encode_png(Image{kSide, kSide, std::vector<std::uint8_t>(kSide * kSide * 3, 80)});
  }
  const Path& folder() const noexcept override { return folder_; }
  std::uint64_t size() const noexcept override { return kRows; }
  std::int64_t identities() const noexcept override { return kRows; }
  std::string identity_name(std::int64_t) const override { return ""; }
  std::int64_t label(std::uint64_t row) const override { return static_cast<std::int64_t>(row); }
  int image_size() const noexcept override { return kSide; }
  void fetch(std::uint64_t row, std::vector<std::byte>& encoded, ReadFigures&) const override {
    if (fails_ && shard_of(row) == 1) throw ShardUnreadable(1, FileError("the disk is gone", EIO));
    encoded = picture_;
  }
  std::size_t shard_of(std::uint64_t row) const override { return row / kShardRows; }
  const std::vector<ShardInfo>& shards() const noexcept override { return shards_; }
  Hash128 dataset_digest() const noexcept override { return {}; }
  std::string source_licence() const override { return ""; }
  bool released() const noexcept override { return false; }
  std::span<const std::uint64_t> rows_of(std::int64_t) const override { return {}; }

 private:
  bool fails_;
  Path folder_ = "memory";
  std::vector<ShardInfo> shards_;
  std::vector<std::byte> picture_;
};

/// Ranks without tensors to exchange.
class HostWorld final : public World {
 public:
  explicit HostWorld(Control& control) : control_(control) {
    topology_.rank = control.rank();
    topology_.size = control.size();
  }
  const Topology& topology() const noexcept override { return topology_; }
  torch::Device device() const noexcept override { return torch::kCPU; }
  Control& control() override { return control_; }
  Communicator& gradients() override { throw Error("no tensors are exchanged here"); }
  Communicator& batch() override { throw Error("no tensors are exchanged here"); }
  void close() override {}
  [[noreturn]] void die(int code) noexcept override { std::_Exit(code); }

 private:
  Control& control_;
  Topology topology_;
};

TrainingStore training_store(const Control& control, bool shard_1_fails, double max_quarantined) {
  RunConfig config;
  config.batch = kBatch;
  config.seed = 4;
  config.max_quarantined = max_quarantined;
  const auto store = std::make_shared<MemoryStore>(shard_1_fails);
  std::vector<PlannedShard> shards;
  for (const auto& shard : store->shards()) shards.push_back({shard.file, shard.images, shard.bytes});
  return {.store = store,
          .config = config,
          .config_text = "",
          .order = Order(kRows, config.seed),
          .batches = {.global_batch = kBatch, .micro_batches = 1, .world = control.size()},
          .plan = plan_shards(std::move(shards), "memory", 1)};
}

std::vector<std::uint64_t> rows_of(const Faces& faces) {
  std::vector<std::uint64_t> rows;
  for (std::int64_t i = 0; i < faces.labels.size(0); ++i)
    rows.push_back(static_cast<std::uint64_t>(faces.labels[i].item<std::int64_t>()));
  return rows;
}

/// `side`: batches are copied ahead of the steps that use them.
void quarantines_on_all_ranks(const std::shared_ptr<SideStream>& side) {
  spdlog::set_level(spdlog::level::off);
  MpiControl control(std::chrono::minutes(1));
  HostWorld world(control);
  const bool failing = control.rank() == control.size() - 1;
  const auto data = training_store(control, failing, 0.5);
  Feed feed(data, world, 0, {}, {}, side);

  const auto shard_of = [](std::uint64_t row) { return row / kShardRows; };
  Quarantine agreed(data.order, data.config.seed, shard_of), lost = agreed;
  lost.add({.shard = 1, .from_ordinal = 0});
  std::vector<Quarantined> entries;
  std::vector<std::vector<std::uint64_t>> rows;  // of this rank, by step
  for (std::uint64_t step = 0; step < 20; ++step) {
    const Faces faces = feed.next().front();
    rows.push_back(rows_of(faces));
    for (std::size_t i = 0; i < faces.ordinals.size(); ++i) {
      const auto p = faces.ordinals[i];
      EXPECT_EQ(rows.back()[i], (failing ? lost : agreed).row_for(p)) << "step " << step;
    }
    if (control.any_of(feed.shard_failed() ? 1 : 0) == 0) continue;
    ASSERT_TRUE(entries.empty()) << "it was reported twice";
    entries = feed.quarantine_failed(step + 1);
    for (const auto& entry : entries) agreed.add(entry);
  }
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].shard, 1U);
  EXPECT_EQ(entries[0].from_ordinal % kBatch, 0U);
  EXPECT_TRUE(control.same_everywhere(std::to_string(entries[0].from_ordinal)));
  const std::uint64_t first = entries[0].from_ordinal / kBatch;
  ASSERT_LT(first, 10U);

  // One process goes on from the quarantine, with a disk that is whole again.
  AloneControl alone;
  HostWorld one(alone);
  const auto again = training_store(alone, false, 0.5);
  Feed later(again, one, first, entries);
  for (std::uint64_t step = first; step < 20; ++step) {
    const Faces all = later.next().front();
    const auto expected = rows_of(all);
    for (const auto row : expected) EXPECT_NE(shard_of(row), 1U);
    const auto mine = data.batches.ordinals(step, 0, control.rank());
    const auto begin =
        std::find(all.ordinals.begin(), all.ordinals.end(), mine.front()) - all.ordinals.begin();
    EXPECT_TRUE(std::equal(rows[step].begin(), rows[step].end(), expected.begin() + begin));
  }
}

TEST(Feed, QuarantinesOnAllRanksWhatOneCannotReadAndALaterStartSeesTheSame) {
  quarantines_on_all_ranks(nullptr);
}

TEST(Feed, QuarantinesTheSameWhereABatchIsOnItsWayToTheDevice) {
  quarantines_on_all_ranks(std::make_shared<test::FakeSideStream>());
}

TEST(Feed, CopiesAheadWhatItGivesWithoutADevice) {
  spdlog::set_level(spdlog::level::off);
  MpiControl control(std::chrono::minutes(1));
  HostWorld world(control);
  auto data = training_store(control, false, 0.5);
  data.config.flip = true;
  const FaceNeeds needs{.labels = true,
                        .noise = {.values = 2, .draw = [](std::uint64_t ordinal, std::span<double> out) {
                                    out[0] = out[1] = static_cast<double>(ordinal);
                                  }}};
  const auto side = std::make_shared<test::FakeSideStream>();
  Feed plain(data, world, 0, {}, needs), ahead(data, world, 0, {}, needs, side);
  for (int step = 0; step < 6; ++step) {
    const Faces expected = plain.next().front(), faces = ahead.next().front();
    EXPECT_TRUE(torch::equal(faces.images, expected.images));
    EXPECT_TRUE(torch::equal(faces.labels, expected.labels));
    EXPECT_EQ(faces.ordinals, expected.ordinals);
    EXPECT_FALSE(expected.noise.defined());
    EXPECT_EQ(faces.noise[0][1].item<double>(), static_cast<double>(faces.ordinals[0]));
  }
  const auto events = side->take_events();
  EXPECT_EQ(std::count(events.begin(), events.end(), "host waits"), 0);
}

/// Before each step, labels of all ranks' faces in all its micro-batches, which then come.
void tells_labels_of_steps(const std::shared_ptr<SideStream>& side) {
  MpiControl control(std::chrono::minutes(1));
  HostWorld world(control);
  auto data = training_store(control, false, 0.5);
  data.batches.micro_batches = data.config.accumulate = 3;
  Feed feed(data, world, 0, {}, {.labels = true, .classes = kRows, .labels_of_step = true, .noise = {}},
            side);
  for (std::uint64_t step = 0; step < 4; ++step) {
    auto told = feed.prepare(3);
    std::vector<std::int64_t> expected;
    for (int rank = 0; rank < control.size(); ++rank)
      for (int micro = 0; micro < 3; ++micro)
        for (const auto ordinal : data.batches.ordinals(step, micro, rank))
          expected.push_back(static_cast<std::int64_t>(data.order.row(ordinal)));
    EXPECT_EQ(told, expected);
    for (int micro = 0; micro < 3; ++micro) {
      const Faces faces = feed.next().front();
      EXPECT_EQ(faces.step, step);
      EXPECT_EQ(faces.micro, micro);
      const auto mine = data.batches.ordinals(step, micro, control.rank());
      ASSERT_EQ(faces.ordinals, mine);
      for (std::size_t i = 0; i < mine.size(); ++i) EXPECT_EQ(rows_of(faces)[i], data.order.row(mine[i]));
    }
  }
}

TEST(Feed, TellsTheLabelsOfAWholeStepOfAllRanksBeforeIt) { tells_labels_of_steps(nullptr); }

TEST(Feed, TellsThemWhereABatchIsOnItsWayToTheDevice) {
  tells_labels_of_steps(std::make_shared<test::FakeSideStream>());
}

TEST(Feed, RefusesALabelThatIsNoClassBeforeTheStepBegins) {
  MpiControl control(std::chrono::minutes(1));
  HostWorld world(control);
  const auto data = training_store(control, false, 0.5);
  Feed feed(data, world, 0, {}, {.labels = true, .classes = 1, .noise = {}});
  try {
    feed.prepare(1);
    FAIL() << "it took them";
  } catch (const DataError& error) {
    const auto row = data.order.row(data.batches.ordinals(0, 0, control.rank()).front());
    EXPECT_NE(
        std::string(error.what()).find(fmt::format("image {} of the store has the identity {}", row, row)),
        std::string::npos)
        << error.what();
    EXPECT_NE(std::string(error.what()).find("classes 0 to 0"), std::string::npos) << error.what();
  }
}

TEST(Feed, EndsTheRunOnAllRanksBeyondThePolicy) {
  spdlog::set_level(spdlog::level::off);
  MpiControl control(std::chrono::minutes(1));
  HostWorld world(control);
  const auto data = training_store(control, control.rank() == 0, 0.3);  // the shard is a third
  Feed feed(data, world, 0, {});
  for (std::uint64_t step = 0;; ++step) {
    ASSERT_LT(step, 20U);
    (void)feed.next();
    if (control.any_of(feed.shard_failed() ? 1 : 0) == 0) continue;
    try {
      (void)feed.quarantine_failed(step + 1);
      ADD_FAILURE() << "it went on";
    } catch (const AgreedError& error) {
      EXPECT_EQ(error.code(), ExitCode::BadData);
      EXPECT_NE(std::string(error.what()).find("--max-quarantined"), std::string::npos);
    }
    break;
  }
}

}  // namespace
}  // namespace facemae
