#include "trainer/apply/pair_set.h"

#include <torch/torch.h>

#include <unordered_map>

#include "cluster/host/agree.h"
#include "core/log.h"
#include "data/upkeep/store_tools.h"
#include "evaluation/formats/bin_pack.h"

namespace facemae {

PairSet pairs_of_store(const Path& pairs, const Path& store_folder) {
  PairSet set{.name = pairs.string(), .images = {}, .first = {}, .second = {}, .same = {}};
  const PairList list = read_pairs(pairs);
  const auto store = Store::open(store_folder);
  if (!list.store_digest.empty() && list.store_digest != store->dataset_digest().hex())
    throw DataError(fmt::format("{} was made from another store than {}: their digests differ ({} and {})",
                                pairs.string(), store_folder.string(), list.store_digest,
                                store->dataset_digest().hex()));
  std::unordered_map<std::uint64_t, std::int64_t> known;
  std::vector<std::uint64_t> rows;  // distinct, in order of first appearance
  const auto position = [&](std::uint64_t row) {
    if (row >= store->size())
      throw DataError(
          fmt::format("{} names row {}, but {} has {} images: were the pairs made from another store?",
                      pairs.string(), row, store_folder.string(), store->size()));
    const auto [at, fresh] = known.try_emplace(row, static_cast<std::int64_t>(rows.size()));
    if (fresh) rows.push_back(row);
    return at->second;
  };
  for (const auto& pair : list.pairs) {
    set.first.push_back(position(pair.a));
    set.second.push_back(position(pair.b));
    set.same.push_back(pair.same ? 1 : 0);
  }
  set.folds = list.folds;
  set.images = images_of(store, std::move(rows));
  return set;
}

PairSet pairs_of_folder(const Path& pairs, const Path& folder) {
  PairSet set{.name = pairs.string(), .images = {}, .first = {}, .second = {}, .same = {}};
  std::vector<std::string> names;  // distinct: a and b of a pair are positions in them
  const PairList list = read_pairs(pairs, &names);
  for (const auto& pair : list.pairs) {
    set.first.push_back(static_cast<std::int64_t>(pair.a));
    set.second.push_back(static_cast<std::int64_t>(pair.b));
    set.same.push_back(pair.same ? 1 : 0);
  }
  set.folds = list.folds;
  std::vector<Path> files;
  files.reserve(names.size());
  for (const auto& name : names) files.push_back(folder / name);
  set.images = images_of(std::move(files));
  return set;
}

PairSet pairs_of_pack(const Path& bin) {
  PairSet set{.name = bin.string(), .images = {}, .first = {}, .second = {}, .same = {}};
  BinPack pack = read_bin_pack(bin);
  for (std::size_t i = 0; i < pack.same.size(); ++i) {
    set.first.push_back(static_cast<std::int64_t>(2 * i));
    set.second.push_back(static_cast<std::int64_t>(2 * i + 1));
  }
  set.same = std::move(pack.same);
  set.images = images_of(std::move(pack.images));
  return set;
}

void check_pairs(const PairSet& set, int rank, int ranks) {
  if (set.folds < 2 || set.same.size() < static_cast<std::size_t>(set.folds))
    throw DataError(fmt::format("the set {} has {} pairs, too few for the {} folds of its protocol", set.name,
                                set.same.size(), set.folds));
  Decoder decoder;
  for (auto at = static_cast<std::size_t>(rank); at < set.images.size;
       at += static_cast<std::size_t>(ranks)) {
    try {
      as_face(set.images, set.images.read(at), decoder);
    } catch (const Error& error) {
      throw DataError("the set " + set.name + " cannot measure anything: " + set.images.name(at) + ": " +
                      error.what());
    }
  }
}

Evaluated verify_pairs(const PairSet& set, RecognitionNetwork& network, World& world,
                       const EmbedConfig& config, int folds) {
  const auto embeddings = embed_images(set.images, network, world, config);
  const auto first = embeddings.index_select(0, torch::tensor(set.first)),
             second = embeddings.index_select(0, torch::tensor(set.second));
  Evaluated result{.set = set.name, .pairs = set.same.size(), .figures = {}};
  together(world.control(), [&] {
    result.figures = verify(torch::stack({first, second}, 1).reshape({-1, embeddings.size(1)}), set.same,
                            folds > 0 ? folds : set.folds);
  });
  return result;
}

}  // namespace facemae
