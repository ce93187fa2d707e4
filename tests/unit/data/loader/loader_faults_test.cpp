// Images, shards and storage that fail under a loader.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>

#include "core/error.h"
#include "data/loader/loader.h"
#include "tests/unit/data/loader/memory_store.h"

namespace facemae {
namespace {

using namespace test_loader;

TEST(Loader, PutsTheSameImagesInPlaceOfBadOnesForAnyThreadsWorldAndStart) {
  const auto store = store_of(40);
  const Order order(40, 5);
  for (const std::uint64_t ordinal : {14U, 13U}) store->truncate(order.row(ordinal));
  store->lose(order.row(18));
  const Quarantine rows(order, 0, [](std::uint64_t) { return std::size_t{0}; });
  const auto expected = global_batches(store, {4, 1, 1}, 0, 20, {1, 1});
  for (const std::uint64_t ordinal : {13U, 14U, 18U}) {
    const std::uint64_t found = expected[ordinal / 4].rows[ordinal % 4];
    EXPECT_NE(found, order.row(ordinal));
    EXPECT_EQ(expected[ordinal / 4].labels[ordinal % 4], store->label(found));
    EXPECT_NEAR(expected[ordinal / 4].pixels[ordinal % 4 * kSide * kSide * 3], MemoryStore::level(found), 2);
  }
  EXPECT_EQ(expected[3].rows[1], rows.row_for(13, 1));
  EXPECT_EQ(expected[3].rows[0], order.row(12));
  for (const int threads : {1, 4})
    for (const int world : {1, 2, 3})
      EXPECT_EQ(global_batches(store, {4, 1, world}, 0, 20, {threads, 3}), expected);
  const auto later = global_batches(store, {4, 1, 2}, 3, 5, {2, 2});
  for (std::size_t i = 0; i < later.size(); ++i) EXPECT_EQ(later[i], expected[3 + i]);
}

TEST(Loader, EndsWhenMoreImagesAreBadThanThePolicyBears) {
  for (const int threads : {1, 3}) {
    for (const double fraction : {1e-5, 0.5}) {
      const auto store = store_of(40);
      for (std::uint64_t row = 0; row < 4; ++row) store->lose(row * 9);
      Loader loader(store, Order(40, 5), {4, 1, 1}, 0, 0,
                    {.threads = threads, .ahead = 3, .max_bad_fraction = fraction});
      const auto an_epoch = [&] {
        for (int i = 0; i < 10; ++i) loader.next();
      };
      if (fraction == 0.5) {
        an_epoch();
        an_epoch();
        EXPECT_GE(loader.figures().substituted, 8U);
        continue;
      }
      EXPECT_THROW(an_epoch(), DataError);
      try {
        loader.next();
        ADD_FAILURE() << "the failure was forgotten";
      } catch (const DataError& error) {
        EXPECT_NE(std::string(error.what()).find("--max-bad-fraction"), std::string::npos) << error.what();
      }
    }
  }
}

TEST(Loader, BearsAFewBadImagesEpochAfterEpoch) {
  const auto store = store_of(20);
  for (std::uint64_t row = 0; row < 3; ++row) store->lose(row * 5);
  Loader loader(store, Order(20, 5), {4, 1, 1}, 0, 0, {.threads = 2, .ahead = 2});
  std::unique_ptr<ByteBatch> batch;
  for (int i = 0; i < 200; ++i) batch = loader.next(std::move(batch));
  EXPECT_GE(loader.figures().substituted, 115U);
}

TEST(Loader, EndsWhenNothingCanStandIn) {
  const auto store = store_of(5);
  for (std::uint64_t row = 0; row < 5; ++row) store->lose(row);
  Loader loader(store, Order(5, 5), {4, 1, 1}, 0, 0, {.threads = 2, .ahead = 2, .max_bad_fraction = 1});
  EXPECT_THROW(loader.next(), DataError);
}

TEST(Loader, LeavesOutWhatIsQuarantinedFromAStepOn) {
  const auto store = store_of(40);  // rows 0..9 are shard 0, and so on
  const Order order(40, 5);
  Quarantine rows(order, 0, [&](std::uint64_t row) { return store->shard_of(row); });
  rows.add({.shard = 1, .from_ordinal = 5 * 4});
  Loader loader(store, order, {4, 1, 1}, 0, 0, {.threads = 3, .ahead = 6});
  const auto check = [&](std::uint64_t steps) {
    for (std::uint64_t i = 0; i < steps; ++i) {
      const auto batch = loader.next();
      for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(batch->rows[k], rows.row_for(batch->ordinals[k]));
    }
  };
  check(3);
  EXPECT_THROW(loader.quarantine({.shard = 1, .from_ordinal = 2 * 4}), Error) << "step 2 was used already";
  EXPECT_THROW(loader.quarantine({.shard = 1, .from_ordinal = 5 * 4 + 1}), Error) << "no step begins there";
  loader.quarantine({.shard = 1, .from_ordinal = 5 * 4});
  check(30);
  // Known from the start, as after a resume.
  Loader again(store, order, {4, 1, 1}, 0, 4,
               {.threads = 2, .ahead = 2, .quarantined = {{.shard = 1, .from_ordinal = 20}}});
  for (int i = 0; i < 8; ++i) {
    const auto batch = again.next();
    for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(batch->rows[k], rows.row_for(batch->ordinals[k]));
  }
}

TEST(Loader, SaysThatItWaitsAndGivesUpLate) {
  const auto store = store_of(8);
  std::atomic<bool> open = false;
  store->gate = &open;
  Loader loader(store, Order(8, 5), {4, 1, 1}, 0, 0,
                {.threads = 2,
                 .ahead = 1,
                 .warn_after = std::chrono::milliseconds(5),
                 .give_up_after = std::chrono::milliseconds(60)});
  try {
    loader.next();
    ADD_FAILURE() << "a batch came from nowhere";
  } catch (const FileError& error) {
    EXPECT_EQ(error.code(), ETIMEDOUT);
    EXPECT_NE(std::string(error.what()).find("0 of 4 images"), std::string::npos) << error.what();
  }
  open = true;
  EXPECT_EQ(loader.next()->size(), 4U) << "a storage that comes back is used again";
}

}  // namespace
}  // namespace facemae
