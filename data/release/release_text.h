#pragma once
// RELEASE.md: what a release says of itself, and what it does not promise.
#include <cstdint>
#include <optional>
#include <string>

#include "data/release/blend.h"
#include "data/store/manifest.h"

namespace facemae {

/// What the readable manifest of a release says: this and nothing more.
struct ReleaseNotes {
  std::string model_hash, software_version, source_licence;
  std::string policy;  ///< digest of the policy that it was made under, "" none
  double mask_ratio = 0;
  std::uint64_t images_per_identity = 0;  ///< 0: as in the source
  std::optional<Blend> blend;
  std::uint64_t people_left_out = 0;  ///< of a blend
  /// Instead of a model's pictures: a sentence that says what the pictures are, and the option that made them.
  std::string baseline_text, baseline;
  /// What pictures of noisy codes are, and promise (a chapter of Markdown); "": not of codes.
  std::string code = {};
};

/// Markdown. `partition`: the digest of that of the people, "" without.
std::string release_text(const StoreManifest& manifest, const ReleaseNotes& notes,
                         const std::string& partition);

}  // namespace facemae
