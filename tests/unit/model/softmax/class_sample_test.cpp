#include "model/softmax/class_sample.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <map>
#include <new>
#include <numeric>
#include <set>

#include "core/random/keys.h"
#include "model/softmax/class_shards.h"

namespace {

// Of this thread, while somebody looks.
thread_local bool looks = false;
thread_local std::size_t held = 0, peak = 0;

void* counted(std::size_t bytes) {
  void* memory = std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  if (looks) peak = std::max(peak, held += malloc_usable_size(memory));
  return memory;
}
void uncounted(void* memory) {
  if (looks) held -= std::min(held, malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t bytes) { return counted(bytes); }
void operator delete(void* memory) noexcept { uncounted(memory); }
void operator delete(void* memory, std::size_t) noexcept { uncounted(memory); }

namespace facemae {
namespace {

TEST(ClassQuota, SumsToTheRateOfAllClasses) {
  for (const double rate : {0.01, 0.1, 0.3, 0.99})
    for (const std::int64_t shards : {1, 7, 1024})
      for (std::int64_t classes = 1; classes <= 5000; classes += shards == 1024 ? 7 : 1) {
        std::int64_t sum = 0;
        for (std::int64_t v = 0; v < shards; ++v) {
          const auto shard = virtual_shard(classes, shards, v);
          const auto quota = class_quota(rate, shard.first, shard.count);
          ASSERT_GE(quota, 0);
          ASSERT_LE(quota, shard.count);
          sum += quota;
        }
        ASSERT_EQ(sum, static_cast<std::int64_t>(std::floor(rate * static_cast<double>(classes))))
            << classes << " classes in " << shards << " shards at " << rate;
      }
}

/// Class numbers of all ranks' samples.
std::vector<std::int64_t> sampled(std::int64_t classes, std::int64_t shards, double rate, std::uint64_t step,
                                  int world, const std::vector<std::int64_t>& labels) {
  std::vector<std::int64_t> all;
  for (int rank = 0; rank < world; ++rank) {
    const auto own = shards_of_rank(shards, rank, world);
    const auto sample = sample_classes({.classes = classes,
                                        .shards = shards,
                                        .first_shard = own.first,
                                        .own_shards = own.count,
                                        .rate = rate,
                                        .seed = 3},
                                       step, labels);
    const auto first = classes_of_rank(classes, shards, rank, world).first;
    EXPECT_EQ(sample.bounds.size(), static_cast<std::size_t>(own.count) + 1);
    EXPECT_EQ(sample.bounds.back(), static_cast<std::int64_t>(sample.rows.size()));
    for (std::int64_t i = 0; i < own.count; ++i) {
      const auto shard = virtual_shard(classes, shards, own.first + i);
      for (auto at = sample.bounds[static_cast<std::size_t>(i)];
           at < sample.bounds[static_cast<std::size_t>(i) + 1]; ++at) {
        const auto number = sample.rows[static_cast<std::size_t>(at)] + first;
        EXPECT_TRUE(number >= shard.first && number < shard.first + shard.count);
        all.push_back(number);
      }
    }
  }
  return all;
}

TEST(ClassSample, HasTheClassesOfFacesAndOthersUpToTheQuotaInAnyWorld) {
  for (const std::int64_t classes : {3, 37, 1000})
    for (const std::int64_t shards : {7, 1024})
      for (const double rate : {0.0, 0.01, 0.1, 0.5, 0.99})
        for (const std::uint64_t step : {0U, 1U, 77U}) {
          std::vector<std::int64_t> labels;
          Draws draws(step + 9);
          for (int i = 0; i < 24; ++i)
            labels.push_back(static_cast<std::int64_t>(draws.below(static_cast<std::uint64_t>(classes))));
          const std::set<std::int64_t> positives(labels.begin(), labels.end());
          const auto alone = sampled(classes, shards, rate, step, 1, labels);
          EXPECT_TRUE(std::is_sorted(alone.begin(), alone.end()));
          EXPECT_EQ(std::set<std::int64_t>(alone.begin(), alone.end()).size(), alone.size())
              << "a class is there twice";
          EXPECT_TRUE(std::includes(alone.begin(), alone.end(), positives.begin(), positives.end()));
          std::int64_t wanted = 0;
          for (std::int64_t v = 0; v < shards; ++v) {
            const auto shard = virtual_shard(classes, shards, v);
            const auto own = std::distance(positives.lower_bound(shard.first),
                                           positives.lower_bound(shard.first + shard.count));
            wanted += std::max<std::int64_t>(own, class_quota(rate, shard.first, shard.count));
          }
          EXPECT_EQ(static_cast<std::int64_t>(alone.size()), wanted);
          for (int world = 2; world <= 6; ++world)
            EXPECT_EQ(sampled(classes, shards, rate, step, world, labels), alone);
          std::reverse(labels.begin(), labels.end());
          EXPECT_EQ(sampled(classes, shards, rate, step, 1, labels), alone)
              << "the order of the labels matters";
        }
}

TEST(ClassSample, OfRateZeroIsThePositivesAndOfOneIsAll) {
  EXPECT_EQ(sampled(100, 8, 0, 5, 1, {70, 3, 3, 99}), (std::vector<std::int64_t>{3, 70, 99}));
  std::vector<std::int64_t> all(100);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(sampled(100, 8, 1, 5, 2, {70}), all);
}

// The number of times that a class, or a pair of classes, is drawn in n steps is binomial.
TEST(ClassSample, DrawsClassesAndPairsEquallyOften) {
  constexpr int kSteps = 20'000;
  constexpr std::int64_t kClasses = 60, kShards = 3;
  constexpr double kRate = 0.3;
  std::map<std::int64_t, int> times;
  std::map<std::pair<std::int64_t, std::int64_t>, int> together;
  for (int step = 0; step < kSteps; ++step) {
    const auto drawn = sampled(kClasses, kShards, kRate, static_cast<std::uint64_t>(step), 1, {});
    ASSERT_EQ(drawn.size(), 18u);
    for (std::size_t i = 0; i < drawn.size(); ++i) {
      ++times[drawn[i]];
      for (std::size_t j = 0; j < i; ++j) ++together[{drawn[j], drawn[i]}];
    }
  }
  const auto within = [&](double chance, int seen, double sigmas) {
    return std::abs(seen - chance * kSteps) <= sigmas * std::sqrt(chance * (1 - chance) * kSteps);
  };
  ASSERT_EQ(times.size(), static_cast<std::size_t>(kClasses));
  for (const auto& [number, seen] : times) EXPECT_TRUE(within(kRate, seen, 5)) << number << ": " << seen;
  // 6 of 20 in each shard, without putting back; shards know nothing of each other.
  ASSERT_EQ(together.size(), static_cast<std::size_t>(kClasses * (kClasses - 1) / 2));
  for (const auto& [pair, seen] : together) {
    const bool same = pair.first / 20 == pair.second / 20;
    EXPECT_TRUE(within(same ? 6.0 * 5 / (20 * 19) : kRate * kRate, seen, 5.5))
        << pair.first << ", " << pair.second;
  }
}

struct Cost {
  double seconds;  ///< of the processor: other work on the machine does not add
  std::size_t sampled, bytes;
};

Cost cost_of(std::int64_t classes, double rate) {
  const SampledClasses of{
      .classes = classes, .shards = 1024, .first_shard = 0, .own_shards = 1024, .rate = rate, .seed = 1};
  const std::vector<std::int64_t> labels = {1, classes / 2, classes - 1};
  held = peak = 0;
  looks = true;
  const std::clock_t start = std::clock();
  const auto sample = sample_classes(of, 5, labels);
  const double took = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  looks = false;
  return {took, sample.rows.size(), peak};
}

TEST(ClassSample, CostsWhatIsSampledAndNotTheClasses) {
  for (const std::int64_t classes : {10'000'000, 260'000'000})
    for (const std::int64_t wanted : {10'000, 100'000}) {
      const Cost cost = cost_of(classes, static_cast<double>(wanted) / static_cast<double>(classes));
      EXPECT_NEAR(static_cast<double>(cost.sampled), static_cast<double>(wanted), 5);
      EXPECT_GT(cost.bytes, cost.sampled * sizeof(std::int64_t)) << "nothing was counted";
      EXPECT_LT(cost.bytes, cost.sampled * 64);
    }
}

// The least of several: caches that other work empties only add.
TEST(ClassSampleSpeed, IsThatOfWhatIsSampled) {
  const auto least = [](std::int64_t classes, double rate) {
    double seconds = 1e9;
    for (int i = 0; i < 5; ++i) seconds = std::min(seconds, cost_of(classes, rate).seconds);
    return seconds;
  };
  const double some = least(10'000'000, 0.01), as_many_of_more = least(260'000'000, 0.01 / 26),
               ten_times = least(10'000'000, 0.1);
  RecordProperty("nanoseconds_a_class", static_cast<int>(some / 100'000 * 1e9));
  EXPECT_LT(as_many_of_more, 2 * some);
  EXPECT_LT(ten_times, 20 * some);
}

}  // namespace
}  // namespace facemae
