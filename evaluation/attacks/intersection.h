#pragma once
// Several releases of the same people: what one of them hides by chance, the others may show. Evidence is averaged
// where the same photos or the same groups come again, and multiplied where people were grouped anew.
#include <span>
#include <string>
#include <vector>

#include "evaluation/attacks/attacker.h"
#include "evaluation/statistics/measurement.h"

namespace facemae {

/// One release, and what an attacker makes of it and of the photos.
struct SeenRelease {
  std::vector<std::int64_t> classes;  ///< [P] as in ReleasedFaces
  FaceLinks links;                    ///< into the photos that all releases were made of
  Evidence evidence;
};

/// Measures the first 1, 2, 4, 8 ... releases, and all. The attacker is granted to know which pictures of two releases
/// show the same photos, and which classes hold the same people: both can be found by matching, so these figures are an
/// upper bound of what this attacker reaches.
///
/// own_picture, picture_to_person: a picture's features (or its evidence) averaged over the releases that show the same
/// photos. person_to_class: the same for classes, where all releases have the same groups. class_to_person: given
/// the classes of one person in every release, that very person is named, by the product of the classes' posteriors
/// over people; where groups differ, their members in common are what remains (people_per_class is 1 here: who is
/// named is named).
/// people_of_photo [N]. Throws ConfigError without releases or when evidence and links are of other sizes.
std::vector<Measurement> measure_releases(std::span<const SeenRelease> releases,
                                          std::span<const std::int64_t> people_of_photo, std::int64_t people,
                                          const std::string& attacker);

/// [classes, people] how alike a class and a person are: cosine of their mean features, each centred on the mean of
/// all; or the sum of the evidence of its pictures. A class without pictures and a person without photos have rows of
/// zeros.
torch::Tensor class_scores(const SeenRelease& release, std::span<const std::int64_t> people_of_photo,
                           std::int64_t people);

}  // namespace facemae
