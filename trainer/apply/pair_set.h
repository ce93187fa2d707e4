#pragma once
// Sets of verification pairs, and what a network makes of them: for `evaluate`, and during training.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/host/agree.h"
#include "evaluation/verification/verification.h"
#include "trainer/apply/embed_images.h"

namespace facemae {

/// Pairs over images that are embedded once each.
struct PairSet {
  std::string name;
  ImageSet images;
  std::vector<std::int64_t> first, second;  ///< positions in `images`
  std::vector<char> same;
  int folds = 10;
  std::shared_ptr<const Store> store = {};  ///< whose rows the images are; null: of files or a pack
  std::optional<AgreedError> fault = {};    ///< why it cannot measure anything, known to all ranks
};

/// Pairs of rows of a store. Throws DataError when the pairs were made from another store.
PairSet pairs_of_store(const Path& pairs, const Path& store);
/// Pairs of image files, named relative to `folder`, and aligned when there is a list of `landmarks`. Throws ConfigError
/// when some are not there.
PairSet pairs_of_folder(const Path& pairs, const Path& folder, const Path& landmarks = {});
/// An InsightFace verification pack.
PairSet pairs_of_pack(const Path& bin);

/// Can the set measure: has it a pair for every fold of the protocol (`folds` 0: as the set says), and pairs of both
/// kinds? Throws DataError naming the set.
void check_pairs(const PairSet& set, int folds = 0);
/// Before long training that the set will measure: do its images decode? This rank looks at its share of them, which
/// takes far less than embedding them once, with progress when it is long. Throws DataError naming the set and the
/// first images that do not, and FileError.
void check_images(const PairSet& set, int rank, int ranks);

/// The images, whose names begin with that of the set.
ImageSet named_images(const PairSet& set);
/// The 10-fold protocol on raw embeddings of them. `folds` 0: as the set says.
Evaluated verify_embedded(const PairSet& set, const Embeddings& embeddings, int folds = 0);
/// Embeds them first. All ranks; rank 0 gets the figures, the others a result without. The network is on world.device(),
/// in evaluation mode.
Evaluated verify_pairs(const PairSet& set, RecognitionNetwork& network, World& world,
                       const EmbedConfig& config);

/// The same; but a set with a fault, or one that cannot be read (a DataError or FileError on some rank), is a failure in
/// the result, for training that goes on without the figures.
Evaluated verify_or_say_why(const PairSet& set, RecognitionNetwork& network, World& world,
                            const EmbedConfig& config);

/// Where the pairs of a set are: a pack, unless the rows of a store or the files of a folder are named.
struct PairSource {
  std::string pairs, store = {}, images = {}, landmarks = {};
};
/// All ranks. Opens and checks each, once even if it is given twice, with a warning. Of a pack, a rank keeps the images
/// that it will embed. What is wrong with any is its fault; a failure that has nothing to do with the set is thrown.
std::vector<PairSet> open_pair_sets(World& world, const std::vector<PairSource>& sources, int folds,
                                    bool with_images);
/// One AgreedError that names all sets with a fault, if there are any.
void refuse_faults(const std::vector<PairSet>& sets);

/// Warns when people of the set's store are among those that a model was trained on, as far as `hashes` tell
/// (trainer/input/training_identities.h).
void warn_of_seen_people(const PairSet& set, const torch::Tensor& hashes);

}  // namespace facemae
