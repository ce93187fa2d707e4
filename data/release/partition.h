#pragma once
// The partition of people into groups that a private folder keeps for ever: two partitions of the same people would
// tell them apart by who is with whom. People are known by their photos, however these are stored and labelled.
#include <cstdint>
#include <string>
#include <vector>

#include "core/random/secret.h"
#include "data/release/blend.h"
#include "data/release/private_folder.h"
#include "data/release/release_plan.h"

namespace facemae {

struct Partition {
  SecretKey key;  ///< of the groups, and of the masks of all releases of these people
  std::uint64_t people_per_group = 0;
  std::vector<std::vector<Hash256>> people;  ///< the photos of each, ascending; group after group
  std::uint64_t groups() const { return people.size() / people_per_group; }
  /// One mask for each photo in all releases (trainer/rebuild/rebuild.h).
  SecretKey mask_key() const { return derive(key, "masks"); }
};

inline constexpr const char* kPartitionName = "partition.h5";
/// Throws DataError when it is missing or damaged.
Partition read_partition(const PrivateFolder& folder);
/// Writes PRIVATE/partition.h5 and returns the BLAKE2b-256 of the file, in hexadecimal digits.
std::string write_partition(PrivateFolder& folder, const Partition& partition);

/// The people of a source, as a partition sees them.
struct Recognised {
  /// The rows of each person of the partition, none for who is not there. A photo that the partition knows of another
  /// person is left out.
  std::vector<std::vector<std::uint64_t>> rows;
  std::vector<ReleaseCandidates> unknown;  ///< identities without a photo that the partition knows
};
/// An identity is the person of whom the partition knows most of its photos; of several such identities, the one with
/// the most. `originals` are those of all rows of the source.
Recognised recognise(const Partition& partition, const std::vector<ReleaseCandidates>& identities,
                     const std::vector<Hash256>& originals);

/// Notes new photos of people who are there, and forms groups of unknown people alone. Who is left over stays unknown.
void extend(Partition& partition, const Recognised& seen, const std::vector<Hash256>& originals);

/// What a source has of a partition.
struct BlendGroups {
  std::vector<BlendGroup> groups;  ///< whole ones: every person has as many photos as are asked of each
  std::uint64_t torn = 0;          ///< groups that lack somebody: left out, since nobody may take that place
};
/// The first `groups` groups, in which each person has at least `photos_each` photos.
BlendGroups groups_in(const Partition& partition, std::uint64_t groups, const Recognised& seen,
                      std::uint64_t photos_each);

}  // namespace facemae
