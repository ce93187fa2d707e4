#pragma once
// Keeps the ledger in a private folder: what was released where. It is written whole, so never torn.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/release/private_folder.h"

namespace facemae {

struct LedgerEntry {
  std::string dataset, out, uuid;  ///< digest of the source, absolute folder and uuid of the release
  std::string reason;              ///< of a second release, otherwise ""
  bool finished = false;
  std::string policy;  ///< digest of the policy that it was begun under, "" none
  /// How many images its list has (data/release/release_originals.h); an older version made no list.
  std::optional<std::uint64_t> images;
  std::uint64_t people_per_class = 1;  ///< above 1: of a partition (data/release/partition.h)
  /// How many groups that partition had when the release was begun, and its file's BLAKE2b-256 in hexadecimal digits.
  std::uint64_t groups = 0;
  std::string partition;
};

/// The entries of PRIVATE/ledger.jsonl, oldest first; none when the file is missing. Throws DataError when
/// it is damaged.
std::vector<LedgerEntry> read_ledger(const PrivateFolder& folder);
void write_ledger(PrivateFolder& folder, const std::vector<LedgerEntry>& entries);
/// Notes under which policy a release is made, before anything of it is. Once noted, it stays.
void note_policy(PrivateFolder& folder, const std::string& uuid, const std::string& digest);

}  // namespace facemae
