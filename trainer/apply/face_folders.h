#pragma once
// 1:N identification over folders of pictures, as TinyFace is laid out.
#include "evaluation/linkage/retrieval.h"
#include "trainer/apply/embed_images.h"

namespace facemae {

/// How a picture below a folder tells whose it is.
enum class IdentityFrom { Folder, Name };  ///< the folder that it is in; its file's name up to the first `_`

/// Probes, then the gallery, then distractors: whose faces nobody asks for.
struct FaceFolders {
  ImageSet images;
  std::vector<std::string> identities;  ///< of probes and gallery
  std::size_t probes = 0, gallery = 0, distractors = 0;
};
/// The pictures below each folder, sorted by path; `distractors` may be "". Throws ConfigError for a folder without
/// pictures, for a picture that does not tell whose it is, and when no probe has a mate in the gallery; FileError.
FaceFolders open_face_folders(const Path& probe, const Path& gallery, const Path& distractors,
                              IdentityFrom from);

struct IdentificationFigures {
  std::size_t probes = 0, gallery = 0;  ///< probes with a mate, and all that is searched
  std::size_t without_mate = 0;         ///< probes that are left out
  struct AtRank {
    int rank;
    double rate;  ///< share of probes of which a mate is among the first `rank`
  };
  std::vector<AtRank> ranks;  ///< 1, 5, 20
};
/// embeddings: rows of the images, of any norm. Ties are broken by chance (evaluation/linkage/retrieval.h).
IdentificationFigures identify(const FaceFolders& folders, const torch::Tensor& embeddings);

}  // namespace facemae
