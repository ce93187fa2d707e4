#include "trainer/apply/pair_set.h"

#include <torch/torch.h>

#include <algorithm>
#include <unordered_map>

#include "core/log.h"
#include "core/progress.h"
#include "core/text.h"
#include "evaluation/formats/bin_pack.h"
#include "evaluation/formats/pair_lines.h"
#include "evaluation/formats/pair_list.h"
#include "trainer/apply/pair_images.h"
#include "trainer/images/align_images.h"

namespace facemae {
namespace {

PairSet named(const Path& file) {
  return {.name = file.string(), .images = {}, .first = {}, .second = {}, .same = {}};
}

/// The pairs of a list, whose image i is at `position[i]`.
void add_pairs(PairSet& set, const ListedPairs& list, const std::vector<std::int64_t>& position) {
  for (const auto& pair : list.pairs) {
    set.first.push_back(position[pair.first]);
    set.second.push_back(position[pair.second]);
    set.same.push_back(pair.same ? 1 : 0);
  }
  set.folds = list.folds;
}

}  // namespace

PairSet pairs_of_store(const Path& pairs, const Path& store_folder) {
  PairSet set = named(pairs);
  const ListedPairs list = read_pair_list(pairs);
  const auto store = Store::open(store_folder);
  if (!list.store_digest.empty() && list.store_digest != store->dataset_digest().hex())
    throw DataError(fmt::format("{} was made from another store than {}: their digests differ ({} and {})",
                                pairs.string(), store_folder.string(), list.store_digest,
                                store->dataset_digest().hex()));
  std::unordered_map<std::uint64_t, std::int64_t> known;
  std::vector<std::uint64_t> rows;  // distinct: "7" and "07" are one
  std::vector<std::int64_t> position;
  for (const auto& image : list.images) {
    const auto row = image.number ? std::nullopt : whole_number(image.name);
    if (!row)
      throw DataError(
          fmt::format("line {} of {} names \"{}\", which is no row of a store; names of files need {}",
                      image.line, pairs.string(), image.name, "--images (of recognize: --eval-images)"));
    if (*row >= store->size())
      throw DataError(fmt::format(
          "line {} of {} names row {}, but {} has {} images: were the pairs made from another store?",
          image.line, pairs.string(), *row, store_folder.string(), store->size()));
    const auto [at, fresh] = known.try_emplace(*row, static_cast<std::int64_t>(rows.size()));
    if (fresh) rows.push_back(*row);
    position.push_back(at->second);
  }
  add_pairs(set, list, position);
  set.images = images_of(store, std::move(rows));
  set.store = store;
  return set;
}

PairSet pairs_of_folder(const Path& pairs, const Path& folder, const Path& landmarks) {
  PairSet set = named(pairs);
  const ListedPairs list = read_pair_list(pairs);
  std::vector<std::int64_t> position(list.images.size());
  for (std::size_t i = 0; i < position.size(); ++i) position[i] = static_cast<std::int64_t>(i);
  add_pairs(set, list, position);
  auto files = files_of(list, folder, pairs);
  std::vector<std::string> paths;
  for (const auto& file : files) paths.push_back(file.lexically_relative(folder).generic_string());
  set.images = images_of(std::move(files), paths);
  if (!landmarks.empty()) align_images(set.images, Landmarks::read(landmarks), paths);
  return set;
}

PairSet pairs_of_pack(const Path& bin) {
  PairSet set = named(bin);
  BinPack pack = read_bin_pack(bin);
  for (std::size_t i = 0; i < pack.same.size(); ++i) {
    set.first.push_back(static_cast<std::int64_t>(2 * i));
    set.second.push_back(static_cast<std::int64_t>(2 * i + 1));
  }
  set.same = std::move(pack.same);
  set.images = images_of(std::move(pack.images));
  set.images.name = [](std::size_t i) { return fmt::format("image {} of pair {} (from 0)", i, i / 2); };
  return set;
}

void check_pairs(const PairSet& set, int folds) {
  if (folds == 0) folds = set.folds;
  if (folds < 2 || set.same.size() < static_cast<std::size_t>(folds))
    throw DataError(fmt::format("the set {} has {} pairs, too few for the {} folds of its protocol", set.name,
                                set.same.size(), folds));
  const auto same = std::count(set.same.begin(), set.same.end(), 1);
  if (same == 0 || static_cast<std::size_t>(same) == set.same.size())
    throw DataError(
        fmt::format("the set {} has {} pairs that all show {}: an accuracy needs pairs of both kinds",
                    set.name, set.same.size(), same == 0 ? "different people" : "the same person"));
}

void check_images(const PairSet& set, int rank, int ranks) {
  constexpr std::size_t told = 5;
  const auto first = static_cast<std::size_t>(rank), step = static_cast<std::size_t>(ranks);
  Decoder decoder;
  Progress progress("checking " + set.name, set.images.size, "images", rank == 0);
  std::vector<std::string> faults;
  std::size_t bad = 0;
  for (std::size_t at = first; at < set.images.size; at += step) {
    try {
      as_face(set.images, at, set.images.read(at), decoder);
    } catch (const DataError& error) {
      if (++bad <= told) faults.push_back(set.images.name(at) + ": " + error.what());
    } catch (const FileError& error) {
      throw FileError("the set " + set.name + " cannot measure anything: " + error.what(), error.code());
    }
    progress.advance(std::min(step, set.images.size - at));
  }
  if (bad == 0) return progress.finish();
  throw DataError(fmt::format("the set {} cannot measure anything, for {} of its images are bad: {}{}",
                              set.name, bad, join(faults, "; "),
                              bad > told ? fmt::format("; and {} more", bad - told) : ""));
}

Evaluated verify_embedded(const PairSet& set, const Embeddings& embeddings, int folds) {
  const auto rows =
      torch::nn::functional::normalize(embeddings.rows, torch::nn::functional::NormalizeFuncOptions().dim(1));
  const auto first = rows.index_select(0, torch::tensor(set.first)),
             second = rows.index_select(0, torch::tensor(set.second));
  Evaluated result{.set = set.name, .pairs = set.same.size(), .figures = {}, .xnorm = embeddings.xnorm};
  result.distances = pair_distances(torch::stack({first, second}, 1).reshape({-1, rows.size(1)}));
  result.figures = verify_distances(result.distances, set.same, folds > 0 ? folds : set.folds);
  return result;
}

Evaluated verify_pairs(const PairSet& set, RecognitionNetwork& network, World& world,
                       const EmbedConfig& config) {
  EmbedConfig raw = config;
  raw.normalise = false;
  const Embeddings embeddings = embed_images(named_images(set), network, world, raw);
  Evaluated result{.set = set.name, .pairs = set.same.size(), .figures = {}};
  together(world.control(), [&] {
    if (world.control().is_root()) result = verify_embedded(set, embeddings);
  });
  return result;
}

ImageSet named_images(const PairSet& set) {
  ImageSet images = set.images;
  images.name = [name = set.name, of_set = set.images.name](std::size_t i) {
    return name + ", " + of_set(i);
  };
  return images;
}

}  // namespace facemae
