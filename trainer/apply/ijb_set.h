#pragma once
// IJB-B and IJB-C as they lie in a folder (docs/FORMATS.md, "IJB").
#include <optional>

#include "evaluation/ijb/templates.h"
#include "trainer/images/image_set.h"

namespace facemae {

struct IjbSet {
  ImageSet images;  ///< below loose_crop/, aligned by their points
  std::shared_ptr<const IjbFaces> faces;
};
/// The images that DIR/meta/SUBSET_name_5pts_score.txt and SUBSET_face_tid_mid.txt list. Throws ConfigError when DIR is no
/// such folder, DataError and FileError.
IjbSet open_ijb(const Path& folder, const std::string& subset);
/// DIR/meta/SUBSET_template_pair_label.txt.
IjbPairs ijb_pairs(const Path& folder, const std::string& subset, const IjbFaces& faces);
/// The lists of 1:N, SUBSET_1N_gallery_{G1,G2} (ijbb: S1, S2) and _1N_probe_mixed.csv; nothing when one of them is not
/// there, which is logged.
std::optional<IjbSearch> ijb_search(const Path& folder, const std::string& subset, const IjbFaces& faces);

}  // namespace facemae
