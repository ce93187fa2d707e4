#include "data/source/catalogue.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/error.h"
#include "core/log.h"

namespace facemae {

void Catalogue::add(std::string_view identity, std::string_view image, std::uint32_t part) {
  if (identities_.empty() || identities_[latest_] != identity) {  // images of a person mostly come together
    const auto [at, fresh] = numbers_.emplace(identity, static_cast<std::uint32_t>(identities_.size()));
    if (fresh) identities_.emplace_back(identity);
    latest_ = at->second;
  }
  entries_.push_back({text_.size(), latest_, part});
  text_.append(image).push_back('\0');
}

void Catalogue::sort(const std::vector<std::string>& part_names) {
  numbers_ = {};
  std::vector<std::uint32_t> order(identities_.size()), rank(identities_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&](std::uint32_t a, std::uint32_t b) { return identities_[a] < identities_[b]; });
  std::vector<std::string> sorted(identities_.size());
  for (std::uint32_t k = 0; k < order.size(); ++k) {
    rank[order[k]] = k;
    sorted[k] = std::move(identities_[order[k]]);
  }
  identities_ = std::move(sorted);
  for (Entry& entry : entries_) entry.identity = rank[entry.identity];
  const auto text = [&](const Entry& entry) { return std::string_view(text_.data() + entry.text); };
  const auto before = [&](const Entry& a, const Entry& b) {
    return a.identity != b.identity ? a.identity < b.identity : text(a) < text(b);
  };
  if (!std::is_sorted(entries_.begin(), entries_.end(), before))
    std::sort(entries_.begin(), entries_.end(), before);
  const auto twin = std::adjacent_find(entries_.begin(), entries_.end(), [&](const Entry& a, const Entry& b) {
    return a.identity == b.identity && text(a) == text(b);
  });
  if (twin == entries_.end()) return;
  const auto [first, second] = std::minmax(twin->part, std::next(twin)->part);
  throw DataError(
      fmt::format("two images have one name, {}/{}: one in {}, one in {}. "
                  "Sources that are given together are one set: rename one image, or leave one out",
                  identities_[twin->identity], text(*twin), part_names.at(first), part_names.at(second)));
}

std::string Catalogue::name(std::uint64_t entry) const {
  return identities_[entries_.at(entry).identity] + "/" + std::string(image(entry));
}

std::optional<std::uint64_t> Catalogue::find(std::string_view identity, std::string_view image) const {
  const auto named = std::lower_bound(identities_.begin(), identities_.end(), identity);
  if (named == identities_.end() || *named != identity) return std::nullopt;
  const auto number = static_cast<std::uint32_t>(named - identities_.begin());
  const auto at = std::partition_point(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.identity != number ? entry.identity < number : text_.data() + entry.text < image;
  });
  if (at == entries_.end() || at->identity != number || text_.data() + at->text != image) return std::nullopt;
  return static_cast<std::uint64_t>(at - entries_.begin());
}

}  // namespace facemae
