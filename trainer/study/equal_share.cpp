#include "trainer/study/equal_share.h"

#include <algorithm>
#include <vector>

namespace facemae {
namespace {

/// How many identities have at least `images` images; `counts` descend.
std::uint64_t people_with(const std::vector<std::uint64_t>& counts, std::uint64_t images) {
  return static_cast<std::uint64_t>(
      std::partition_point(counts.begin(), counts.end(), [&](auto count) { return count >= images; }) -
      counts.begin());
}

std::vector<std::uint64_t> descending(std::span<const std::uint64_t> counts) {
  std::vector<std::uint64_t> sorted(counts.begin(), counts.end());
  std::sort(sorted.rbegin(), sorted.rend());
  return sorted;
}

}  // namespace

EqualShare largest_share(std::span<const std::uint64_t> counts, std::uint64_t multiple,
                         std::uint64_t images) {
  const auto sorted = descending(counts);
  std::vector<std::uint64_t> candidates = images == 0 ? sorted : std::vector{images};
  EqualShare best;
  for (const std::uint64_t each : candidates) {
    if (each == 0) continue;
    const EqualShare share{people_with(sorted, each) / multiple * multiple, each};
    if (share.pictures() > best.pictures()) best = share;
  }
  return best;
}

std::optional<EqualShare> share_of(std::span<const std::uint64_t> counts, std::uint64_t pictures,
                                   std::uint64_t images) {
  const auto sorted = descending(counts);
  const auto fits = [&](std::uint64_t each) {
    return each > 0 && pictures % each == 0 && people_with(sorted, each) >= pictures / each;
  };
  if (fits(images)) return EqualShare{pictures / images, images};
  const std::uint64_t most = sorted.empty() ? 0 : sorted.front();
  for (std::uint64_t each = 1; each <= most; ++each)
    if (fits(each)) return EqualShare{pictures / each, each};
  return {};
}

}  // namespace facemae
