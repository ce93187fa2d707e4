#include "model/softmax/class_sample.h"

#include <algorithm>
#include <cmath>

#include "core/random/keys.h"
#include "core/random/permutation.h"
#include "model/softmax/class_shards.h"

namespace facemae {
namespace {

/// The labels in [first, first + count), ascending and each once.
std::vector<std::int64_t> classes_among(std::span<const std::int64_t> labels, std::int64_t first,
                                        std::int64_t count) {
  std::vector<std::int64_t> own;
  for (const auto label : labels)
    if (label >= first && label < first + count) own.push_back(label);
  std::sort(own.begin(), own.end());
  own.erase(std::unique(own.begin(), own.end()), own.end());
  return own;
}

/// Adds to `rows`, which begin with `positives` from `begin` on, others of the shard until it has `quota`, sorted.
void add_others(std::vector<std::int64_t>& rows, std::size_t begin, std::span<const std::int64_t> positives,
                const ClassRange& shard, std::int64_t own_first, std::int64_t quota, std::uint64_t key) {
  const auto wanted = static_cast<std::size_t>(quota);
  const Permutation order(static_cast<std::uint64_t>(shard.count), key);
  for (std::uint64_t i = 0; rows.size() - begin < wanted; ++i) {
    const auto other = shard.first + static_cast<std::int64_t>(order(i));
    if (!std::binary_search(positives.begin(), positives.end(), other)) rows.push_back(other - own_first);
  }
  std::sort(rows.begin() + static_cast<std::ptrdiff_t>(begin), rows.end());
}

}  // namespace

std::int64_t class_quota(double rate, std::int64_t first, std::int64_t count) {
  const auto up_to = [&](std::int64_t classes) {
    return static_cast<std::int64_t>(std::floor(rate * static_cast<double>(classes)));
  };
  return up_to(first + count) - up_to(first);
}

ClassSample sample_classes(const SampledClasses& of, std::uint64_t step,
                           std::span<const std::int64_t> labels) {
  const auto own_first = virtual_shard(of.classes, of.shards, of.first_shard).first;
  const auto own_end = virtual_shard(of.classes, of.shards, of.first_shard + of.own_shards).first;
  const auto positives = classes_among(labels, own_first, own_end - own_first);
  ClassSample sample;
  sample.rows.reserve(positives.size() +
                      static_cast<std::size_t>(class_quota(of.rate, own_first, own_end - own_first)));
  sample.bounds.push_back(0);
  auto next = positives.begin();
  for (std::int64_t v = of.first_shard; v < of.first_shard + of.own_shards; ++v) {
    const auto shard = virtual_shard(of.classes, of.shards, v);
    const auto end = std::lower_bound(next, positives.end(), shard.first + shard.count);
    const std::span<const std::int64_t> mine(next, end);
    const auto begin = sample.rows.size();
    for (const auto label : mine) sample.rows.push_back(label - own_first);
    const auto quota = class_quota(of.rate, shard.first, shard.count);
    if (static_cast<std::int64_t>(mine.size()) < quota)
      add_others(sample.rows, begin, mine, shard, own_first, quota,
                 key_of(of.seed, Purpose::ClassSample, step, static_cast<std::uint64_t>(v)));
    sample.bounds.push_back(static_cast<std::int64_t>(sample.rows.size()));
    next = end;
  }
  return sample;
}

}  // namespace facemae
