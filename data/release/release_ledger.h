#pragma once
// The ledger in a private folder: what was released where. Written as a whole, so never torn.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/release/private_folder.h"

namespace facemae {

struct LedgerEntry {
  std::string dataset, out, uuid;  ///< digest of the source, absolute folder and uuid of the release
  std::string reason;              ///< of a second release, else ""
  bool finished = false;
  /// How many images are in its list (data/release/release_originals.h); an older version made none.
  std::optional<std::uint64_t> images;
};

/// Entries of PRIVATE/ledger.jsonl, oldest first; none when it is missing. Throws
/// DataError when it is damaged.
std::vector<LedgerEntry> read_ledger(const PrivateFolder& folder);
void write_ledger(PrivateFolder& folder, const std::vector<LedgerEntry>& entries);

}  // namespace facemae
