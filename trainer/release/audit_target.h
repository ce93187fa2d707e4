#pragma once
// Stores and the private link as what is attacked: pictures, photos, people, and what their files tell.
#include <cstdint>
#include <string>

#include "data/release/release.h"
#include "data/store/store.h"
#include "evaluation/campaign/metadata.h"
#include "evaluation/campaign/target.h"

namespace facemae {

struct AuditScope {
  std::uint64_t most_pictures = 0;  ///< of all classes that are drawn; 0: all classes
  std::uint64_t most_of_class = 0;  ///< pictures of a class, spread over it; 0: all
  bool originals_alone = false;     ///< of photos only those that the pictures were made of, and no strangers
  std::uint64_t seed = 0;
};

struct AuditTarget {
  Target target;
  FileFacts released, real;
  bool blends = false;  ///< some picture was made of several photos
};

/// How a message names what does not fit.
struct LinkWords {
  const char *real = "--real", *released = "--released", *link = "--link";
};
/// Throws ConfigError when the link is of another source or another release, DataError when it leads nowhere.
void check_link(const Store& real, const Store& released, const ReleaseLink& link,
                const LinkWords& options = {});

/// Whole classes of `released`, drawn by the seed while they keep to the scope (at least four classes), all photos of
/// their people, and as strangers the people of `real` who are in no class of the release, and all of `distractors`
/// (nullptr: none). An image without identity is of a person of its own. Everything
/// is in memory. Calls check_link.
AuditTarget audit_target(const Store& real, const Store& released, const ReleaseLink& link,
                         const Store* distractors, const AuditScope& scope);

}  // namespace facemae
