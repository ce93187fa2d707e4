#include "data/release/release_originals.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

std::string originals_name(const std::string& uuid) { return "images-" + uuid + ".bin"; }

}  // namespace

std::vector<Hash256> originals_of(const Store& source, std::uint64_t first, std::uint64_t last,
                                  const std::function<void(std::size_t)>& advance) {
  std::vector<Hash256> originals;
  originals.reserve(last - first);
  std::vector<std::byte> encoded;
  for (std::uint64_t row = first; row < last; ++row) {
    source.read(row, encoded);
    originals.push_back(blake2b(encoded));
    advance(1);
  }
  return originals;
}

std::vector<std::uint64_t> copies_among(const std::vector<Hash256>& originals) {
  std::vector<std::uint64_t> rows(originals.size()), copies;
  std::iota(rows.begin(), rows.end(), std::uint64_t{0});
  std::sort(rows.begin(), rows.end(), [&](std::uint64_t a, std::uint64_t b) {
    return std::tie(originals[a], a) < std::tie(originals[b], b);
  });
  for (std::size_t i = 1; i < rows.size(); ++i)
    if (originals[rows[i]] == originals[rows[i - 1]]) copies.push_back(rows[i]);
  std::sort(copies.begin(), copies.end());
  return copies;
}

void expect_other_people(const NamedStore& one, const NamedStore& other, const std::string& why) {
  constexpr double allowed = 0.01;
  auto others = originals_of(other.store, 0, other.store.size());
  std::sort(others.begin(), others.end());
  const auto own = originals_of(one.store, 0, one.store.size());
  const auto both = std::count_if(own.begin(), own.end(), [&](const Hash256& image) {
    return std::binary_search(others.begin(), others.end(), image);
  });
  if (both == 0) return;
  const std::string told =
      fmt::format("{} of {} images of {} {} are in {} {}, too", human_count(static_cast<std::uint64_t>(both)),
                  human_count(own.size()), one.name, one.store.folder().string(), other.name,
                  other.store.folder().string());
  if (static_cast<double>(both) > allowed * static_cast<double>(std::min(own.size(), others.size())))
    throw ConfigError(told + ": " + why);
  spdlog::warn("{}: pictures under two names", told);
}

void write_originals(PrivateFolder& folder, const std::string& uuid, std::vector<Hash256> originals) {
  std::sort(originals.begin(), originals.end());
  folder.write(originals_name(uuid), std::as_bytes(std::span(originals)));
}

std::vector<Hash256> read_originals(const PrivateFolder& folder, const std::string& uuid,
                                    std::uint64_t count) {
  const std::string name = originals_name(uuid);
  const std::string bytes = folder.has(name) ? folder.read(name) : "";
  if (bytes.size() != count * sizeof(Hash256))
    throw DataError(fmt::format(
        "the list of released images {} is {}: restore it; without it nobody knows what was released",
        (folder.path() / name).string(), folder.has(name) ? "damaged" : "missing"));
  std::vector<Hash256> originals(count);
  std::memcpy(originals.data(), bytes.data(), bytes.size());
  return originals;
}

}  // namespace facemae
