#pragma once
// Sets of verification pairs, and what a network makes of them: for `evaluate`, and during training.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "evaluation/verification.h"
#include "trainer/embed_images.h"

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

/// Before long training that will be measured by the set: has it a pair for every fold, are its files there,
/// does an image of it decode? Throws DataError naming the set.
void check_pairs(const PairSet& set);

/// What a network reached on a set.
struct Evaluated {
  std::string set;
  std::size_t pairs = 0;
  Verification figures;
};
/// The 10-fold protocol. All ranks; images are sharded over them and every rank gets the figures. The network
/// is on world.device(), in evaluation mode. `folds` 0: as the set says.
Evaluated verify_pairs(const PairSet& set, RecognitionNetwork& network, World& world,
                       const EmbedConfig& config, int folds = 0);

}  // namespace facemae
