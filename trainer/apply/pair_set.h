#pragma once
// Sets of verification pairs, and what a network makes of them: for `evaluate`, and during training.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "evaluation/verification.h"
#include "trainer/apply/embed_images.h"

namespace facemae {

/// Pairs over images that are embedded once each.
struct PairSet {
  std::string name;
  ImageSet images;
  std::vector<std::int64_t> first, second;  ///< positions in `images`
  std::vector<char> same;
  int folds = 10;
};

/// Pairs of rows of a store. Throws DataError when the pairs were made from another store.
PairSet pairs_of_store(const Path& pairs, const Path& store);
/// Pairs of image files, named relative to `folder`.
PairSet pairs_of_folder(const Path& pairs, const Path& folder);
/// An InsightFace verification pack.
PairSet pairs_of_pack(const Path& bin);

/// Before long training that the set will measure: has it a pair for every fold, and do its images decode?
/// This rank looks at its share of them, which takes far less than embedding them once. Throws DataError
/// naming set and image.
void check_pairs(const PairSet& set, int rank, int ranks);

/// The 10-fold protocol. All ranks; images are sharded over them and every rank gets the figures. The network
/// is on world.device(), in evaluation mode. `folds` 0: as the set says.
Evaluated verify_pairs(const PairSet& set, RecognitionNetwork& network, World& world,
                       const EmbedConfig& config, int folds = 0);

}  // namespace facemae
