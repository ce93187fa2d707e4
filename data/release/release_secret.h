#pragma once
// Holds the secret of a release: one key, which determines labels, order and masks, but for the masks of people in a
// partition.
#include <optional>
#include <string>

#include "core/random/secret.h"
#include "data/release/private_folder.h"

namespace facemae {

struct ReleaseSecret {
  SecretKey key;     ///< from the system's random source
  std::string uuid;  ///< of the released store, random
  std::string source_digest, out;
  std::optional<SecretKey> masks;  ///< of the partition (data/release/partition.h), where there is one

  /// What the mask of a face is drawn from, with its content (trainer/rebuild/rebuild.h).
  SecretKey mask_key() const { return masks ? *masks : derive(key, "masks"); }
};

std::string to_text(const ReleaseSecret& secret);  ///< JSON
/// Throws DataError; ConfigError for the secret of a version that had 64-bit seeds.
ReleaseSecret secret_from_text(const std::string& text, const std::string& origin);

/// Reads PRIVATE/secret-<uuid>.json.
ReleaseSecret load_secret(const PrivateFolder& folder, const std::string& uuid);
void store_secret(PrivateFolder& folder, const ReleaseSecret& secret);

}  // namespace facemae
