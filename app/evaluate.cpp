// facemae evaluate: verification accuracy by the 10-fold protocol.
#include <torch/torch.h>

#include <map>

#include "app/command.h"
#include "app/describe.h"
#include "cluster/agree.h"
#include "core/log.h"
#include "core/text.h"
#include "data/store_tools.h"
#include "evaluation/bin_pack.h"
#include "trainer/embed_images.h"
#include "trainer/models.h"

namespace facemae {
namespace {

/// A set of pairs over images that are embedded once each.
struct PairSet {
  std::string name;
  ImageSet images;
  std::vector<std::int64_t> first, second;  ///< positions in `images`
  std::vector<char> same;
  int folds = 10;
  BinPack pack;  ///< keeps the images of a .bin alive
};

/// Positions of distinct things, in order of first appearance.
template <class T>
std::int64_t position(std::map<T, std::int64_t>& known, std::vector<T>& list, const T& thing) {
  const auto [at, fresh] = known.try_emplace(thing, static_cast<std::int64_t>(list.size()));
  if (fresh) list.push_back(thing);
  return at->second;
}

PairSet from_store(const std::string& pairs_file, const std::string& store_folder) {
  PairSet set{.name = pairs_file};
  const PairList list = read_pairs(pairs_file);
  std::map<std::uint64_t, std::int64_t> known;
  std::vector<std::uint64_t> rows;
  const auto store = Store::open(store_folder);
  for (const auto& pair : list.pairs) {
    if (std::max(pair.a, pair.b) >= store->size())
      throw DataError(
          fmt::format("{} names row {}, but {} has {} images: were the pairs made from another store?",
                      pairs_file, std::max(pair.a, pair.b), store_folder, store->size()));
    set.first.push_back(position(known, rows, pair.a));
    set.second.push_back(position(known, rows, pair.b));
    set.same.push_back(pair.same ? 1 : 0);
  }
  set.folds = list.folds;
  set.images = images_of(store, std::move(rows));
  return set;
}

PairSet from_folder(const std::string& pairs_file, const std::string& folder) {
  PairSet set{.name = pairs_file};
  std::vector<std::string> names;
  const PairList list = read_pairs(pairs_file, &names);
  std::map<std::string, std::int64_t> known;
  std::vector<std::string> distinct;
  for (std::size_t i = 0; i < list.pairs.size(); ++i) {
    set.first.push_back(position(known, distinct, names[2 * i]));
    set.second.push_back(position(known, distinct, names[2 * i + 1]));
    set.same.push_back(list.pairs[i].same ? 1 : 0);
  }
  set.folds = list.folds;
  std::vector<Path> files;
  for (const auto& name : distinct) files.push_back(Path(folder) / name);
  set.images = images_of(std::move(files));
  return set;
}

void from_bin(const std::string& file, PairSet& set) {
  set.name = file;
  set.pack = read_bin_pack(file);
  for (std::size_t i = 0; i < set.pack.same.size(); ++i) {
    set.first.push_back(static_cast<std::int64_t>(2 * i));
    set.second.push_back(static_cast<std::int64_t>(2 * i + 1));
  }
  set.same = set.pack.same;
  set.images = images_of(set.pack.images);
}

}  // namespace

ExitCode run_evaluate(App& app, Words words) {
  std::string from, network_name, pairs, folder, store_folder, csv, device = "auto";
  std::vector<std::string> bins;
  int folds = 0;
  bool bgr = false;
  Options options(
      "Verification by the 10-fold protocol: embedding of the image plus that of its mirror image, "
      "normalised; the threshold "
      "comes from nine folds, the accuracy from the tenth. Images are sharded over the ranks.",
      "evaluate --from WEIGHTS (--store STORE --pairs FILE | --images DIR --pairs FILE | --bin FILE...) "
      "[OPTIONS]");
  options.group("Evaluation")
      .require("from", from, "RUN, a checkpoint of it, or weights in safetensors")
      .add("network", network_name, "which network the weights are, when they do not say")
      .add("store", store_folder, "where --pairs names rows of a store (`facemae pairs` made them)")
      .add("images", folder, "where --pairs names files below a folder")
      .add("pairs", pairs, "text: `a b same` a line, folds in order")
      .add("bin", bins, "InsightFace verification packs")
      .add("folds", folds, "of the protocol; 0: what the pairs say, else 10")
      .add("csv", csv, "file for one line a set")
      .flag("bgr", bgr, "the network was trained on BGR images")
      .choice("device", device, {"auto", "cpu", "cuda"}, "where to compute");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(!store_folder.empty() + !folder.empty() + !bins.empty() == 1,
                "give one of --store, --images and --bin");
  options.check(pairs.empty() == !bins.empty(), "--store and --images need --pairs, --bin does not");
  options.check(folds == 0 || folds >= 2, "--folds must be at least 2");
  if (!options.finish()) return ExitCode::Done;
  World& world = app.world({.device = device});
  std::shared_ptr<RecognitionNetwork> network;
  std::vector<PairSet> sets(bins.empty() ? 1 : bins.size());
  together(world.control(), [&] {
    network = network_from(read_weights(from), network_name);
    network->to(world.device());
    for (std::size_t i = 0; i < bins.size(); ++i) from_bin(bins[i], sets[i]);
    if (!store_folder.empty()) sets[0] = from_store(pairs, store_folder);
    if (!folder.empty()) sets[0] = from_folder(pairs, folder);
  });
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  std::string table = "set,pairs,folds,accuracy,accuracy_std,auc,eer\n";
  for (const auto& set : sets) {
    const auto embeddings = embed_images(set.images, *network, world, {.bgr = bgr});
    const auto a = embeddings.index_select(0, torch::tensor(set.first)),
               b = embeddings.index_select(0, torch::tensor(set.second));
    Verification figures;
    together(world.control(), [&] {
      figures = verify(torch::stack({a, b}, 1).reshape({-1, embeddings.size(1)}), set.same,
                       folds > 0 ? folds : set.folds);
    });
    if (!world.control().is_root()) continue;
    fmt::print("{}: accuracy {:.2f} % +- {:.2f} ({} pairs, {} folds), AUC {:.4f}, EER {:.2f} %\n", set.name,
               100 * figures.accuracy, 100 * figures.accuracy_std, set.same.size(), figures.folds.size(),
               figures.auc, 100 * figures.eer);
    table += fmt::format("{},{},{},{},{},{},{}\n", set.name, set.same.size(), figures.folds.size(),
                         figures.accuracy, figures.accuracy_std, figures.auc, figures.eer);
    results.push_back(describe(figures));
    results.back()["set"] = set.name;
  }
  if (world.control().is_root() && !csv.empty()) write_durably(real_files(), csv, table);
  app.result({{"from", from}, {"sets", results}});
  return ExitCode::Done;
}

}  // namespace facemae
