#include "data/release/partition.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>

#include "core/error.h"
#include "core/log.h"
#include "data/hdf5/hdf5.h"

namespace facemae {
namespace {

constexpr const char* kPartitionFormat = "facemae-partition";

/// Who is on a photo.
using Index = std::vector<std::pair<Hash256, std::size_t>>;

Index index_of(const Partition& partition) {
  Index index;
  for (std::size_t person = 0; person < partition.people.size(); ++person)
    for (const Hash256& photo : partition.people[person]) index.emplace_back(photo, person);
  std::sort(index.begin(), index.end());
  return index;
}

/// The person of the partition on this photo, or `nobody`.
std::size_t person_on(const Index& index, const Hash256& photo, std::size_t nobody) {
  const auto at = std::lower_bound(index.begin(), index.end(), std::pair(photo, std::size_t{0}));
  return at != index.end() && at->first == photo ? at->second : nobody;
}

std::vector<Hash256> photos_at(const std::vector<std::uint64_t>& rows,
                               const std::vector<Hash256>& originals) {
  std::vector<Hash256> photos;
  photos.reserve(rows.size());
  for (const std::uint64_t row : rows) photos.push_back(originals[row]);
  std::sort(photos.begin(), photos.end());
  return photos;
}

}  // namespace

Partition read_partition(const PrivateFolder& folder) {
  const std::string place = (folder.path() / kPartitionName).string();
  if (!folder.has(kPartitionName))
    throw DataError("the partition of people " + place +
                    " is missing, although the ledger has releases of it: restore it; "
                    "without it the same people would be in other groups");
  const auto file = hdf5::Reader::open(folder.at(kPartitionName));
  if (!file.has_attribute("format") || file.read_text("format") != kPartitionFormat)
    throw DataError(place + " is an HDF5 file but not the partition of a release: restore it");
  if (const auto version = file.read_number("version"); version != 1)
    throw DataError(fmt::format("{} has version {}: a newer facemae made it; use that one", place, version));
  Partition partition{.key = SecretKey::from_hex(file.read_text("key")),
                      .people_per_group = file.read_number("people_per_group"),
                      .people = {}};
  const auto offsets = file.read_array<std::uint64_t>("/photo_offset");
  const auto photos = file.read_array<std::uint8_t>("/photo");
  constexpr std::size_t each = sizeof(Hash256);
  if (partition.people_per_group == 0 || offsets.empty() || offsets.front() != 0 ||
      !std::is_sorted(offsets.begin(), offsets.end()) || offsets.back() * each != photos.size() ||
      (offsets.size() - 1) % partition.people_per_group != 0)
    throw DataError("the partition of people " + place + " is damaged: restore it");
  for (std::size_t person = 0; person + 1 < offsets.size(); ++person) {
    std::vector<Hash256>& own = partition.people.emplace_back(offsets[person + 1] - offsets[person]);
    if (!own.empty()) std::memcpy(own.data(), photos.data() + offsets[person] * each, own.size() * each);
  }
  return partition;
}

std::string write_partition(PrivateFolder& folder, const Partition& partition) {
  std::vector<std::uint64_t> offsets{0};
  std::vector<std::uint8_t> photos;
  for (const auto& own : partition.people) {
    for (const Hash256& photo : own) photos.insert(photos.end(), photo.bytes.begin(), photo.bytes.end());
    offsets.push_back(offsets.back() + own.size());
  }
  const std::string temporary = std::string(kPartitionName) + ".tmp";
  folder.create(temporary)->close();  // closed to others before it contains anything
  auto file = hdf5::File::create(folder.at(temporary));
  file.write_attribute("format", std::string(kPartitionFormat));
  file.write_attribute("version", std::uint64_t{1});
  file.write_attribute("key", partition.key.hex());
  file.write_attribute("people_per_group", partition.people_per_group);
  file.write_array("/photo_offset", offsets);
  file.write_array("/photo", photos);
  file.flush();
  file.close();
  hdf5::publish(folder, temporary, kPartitionName);
  return SecretKey{blake2b(bytes_of(folder.read(kPartitionName))).bytes}.hex();
}

Recognised recognise(const Partition& partition, const std::vector<ReleaseCandidates>& identities,
                     const std::vector<Hash256>& originals) {
  const std::size_t nobody = partition.people.size();
  const Index index = index_of(partition);
  Recognised seen{.rows = std::vector<std::vector<std::uint64_t>>(nobody), .unknown = {}};
  std::vector<std::size_t> most(nobody);  // known photos of the identity that is this person
  for (const ReleaseCandidates& identity : identities) {
    std::map<std::size_t, std::size_t> known;
    for (const std::uint64_t row : identity.rows)
      if (const auto who = person_on(index, originals[row], nobody); who != nobody) ++known[who];
    if (known.empty()) {
      seen.unknown.push_back(identity);
      continue;
    }
    const auto [person, count] = *std::max_element(
        known.begin(), known.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    if (count <= most[person]) continue;
    most[person] = count;
    seen.rows[person].clear();
    const auto whose = person;
    std::copy_if(identity.rows.begin(), identity.rows.end(), std::back_inserter(seen.rows[person]),
                 [&](std::uint64_t row) {
                   const auto who = person_on(index, originals[row], nobody);
                   return who == nobody || who == whose;
                 });
  }
  return seen;
}

void extend(Partition& partition, const Recognised& seen, const std::vector<Hash256>& originals) {
  for (std::size_t person = 0; person < seen.rows.size(); ++person) {
    std::vector<Hash256> all;
    const auto now = photos_at(seen.rows[person], originals);
    std::set_union(partition.people[person].begin(), partition.people[person].end(), now.begin(), now.end(),
                   std::back_inserter(all));
    partition.people[person] = std::move(all);
  }
  std::vector<std::vector<Hash256>> fresh;
  for (const ReleaseCandidates& identity : seen.unknown) fresh.push_back(photos_at(identity.rows, originals));
  std::sort(fresh.begin(), fresh.end());  // whatever their labels
  const std::uint64_t before = partition.groups();
  const auto order =
      secret_order(fresh.size(), derive(partition.key, "groups", bytes_of(std::span(&before, 1))));
  const std::size_t grouped = fresh.size() - fresh.size() % partition.people_per_group;
  for (std::size_t i = 0; i < grouped; ++i) partition.people.push_back(std::move(fresh[order[i]]));
}

BlendGroups groups_in(const Partition& partition, std::uint64_t groups, const Recognised& seen,
                      std::uint64_t photos_each) {
  BlendGroups found;
  for (std::uint64_t group = 0; group < groups; ++group) {
    const auto first = seen.rows.begin() + static_cast<std::ptrdiff_t>(group * partition.people_per_group);
    const auto last = first + static_cast<std::ptrdiff_t>(partition.people_per_group);
    const auto is_there = [&](const auto& rows) { return rows.size() >= photos_each; };
    if (std::all_of(first, last, is_there))
      found.groups.emplace_back(first, last);
    else if (std::any_of(first, last, [](const auto& rows) { return !rows.empty(); }))
      ++found.torn;
  }
  return found;
}

}  // namespace facemae
