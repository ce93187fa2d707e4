#pragma once
// A8: several releases of the same people, from stores and links to what attackers find in them together.
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "data/release/release_link.h"
#include "data/store/store.h"
#include "evaluation/attacks/attacker.h"
#include "evaluation/statistics/measurement.h"

namespace facemae {

/// A release and who is in it.
struct LinkedRelease {
  ReleasedFaces faces;
  FaceLinks links;
};

/// What a private folder says of a release. Throws ConfigError when it is of another one.
ReleaseLink link_of_release(const std::string& released, const std::string& link);
/// For a release that was made of neither `real` nor any store of --also-real.
ConfigError made_of_another(const std::string& released, const std::string& real, const ReleaseLink& links);

/// All photos of a store, in memory; an image without identity is of a person of its own, after all others.
RealFaces photos_of_people(const Store& real);

/// A release, its photos as rows of photos_of_people(real). `link` is its private folder, or that of several releases. It
/// was made of `real`, or of one of the stores `sources`: then photos are the same whose images are, byte for byte, and
/// pictures of no photo of `real` are left out. Throws ConfigError when release, link and stores do not belong together.
LinkedRelease load_release(const Store& real, const RealFaces& photos, const std::string& released,
                           const std::string& link, const std::vector<std::string>& sources = {});

/// measure_releases() (evaluation/attacks/intersection.h) by each attacker, on photos of the people who are in a release.
/// Attackers that learn were fitted, on other people. Throws ConfigError for fewer than two releases.
std::vector<Measurement> several_releases(const RealFaces& photos, std::span<const LinkedRelease> releases,
                                          std::span<const std::unique_ptr<Attacker>> attackers);

}  // namespace facemae
