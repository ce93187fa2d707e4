#include "data/pack/pack_share.h"

#include <algorithm>

#include "core/log.h"

namespace facemae {

Numbers share_of(const Numbers& all, int rank, int ranks) {
  Numbers mine;
  for (auto i = static_cast<std::size_t>(rank); i < all.size(); i += static_cast<std::size_t>(ranks))
    mine.push_back(all[i]);
  return mine;
}

Numbers missing_from(const Numbers& done, std::uint64_t count) {
  std::vector<bool> is_done(count, false);
  for (const std::uint64_t number : done)
    if (number < count) is_done[number] = true;
  Numbers missing;
  for (std::uint64_t number = 0; number < count; ++number)
    if (!is_done[number]) missing.push_back(number);
  return missing;
}

ShareProgress::ShareProgress(const std::string& what, std::uint64_t total, std::uint64_t done,
                             std::size_t units, std::size_t own_units, int ranks, bool show)
    : progress_(what, total, "images", show),
      scale_(own_units == 0 ? 0 : static_cast<double>(units) / static_cast<double>(own_units)),
      most_(total - std::min(total, done)),
      note_(ranks > 1 ? fmt::format("by rank 0 of {}", ranks) : "") {
  progress_.start_from(std::min(total, done));
}

void ShareProgress::advance(std::uint64_t own_images) {
  own_ += own_images;
  const auto now = std::min(most_, static_cast<std::uint64_t>(static_cast<double>(own_) * scale_));
  progress_.advance(now - std::exchange(shown_, now), note_);
}

void ShareProgress::finish() {
  progress_.advance(most_ - std::exchange(shown_, most_));
  progress_.finish();
}

}  // namespace facemae
