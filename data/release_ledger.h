#pragma once
// The ledger in a private folder: which dataset was released where. Written as a whole, so never torn.
#include <string>
#include <vector>

#include "core/files.h"

namespace facemae {

struct LedgerEntry {
  std::string dataset, out, uuid;  ///< digest of the source, absolute folder and uuid of the release
  std::string reason;              ///< of a second release, else ""
  bool finished = false;
};

/// Entries of PRIVATE/ledger.jsonl, oldest first; none when it is missing. Throws DataError when it is
/// damaged.
std::vector<LedgerEntry> read_ledger(const Path& private_folder);
void write_ledger(FileSystem& files, const Path& private_folder, const std::vector<LedgerEntry>& entries);

}  // namespace facemae
