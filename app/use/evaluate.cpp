// facemae evaluate: verification accuracy by the 10-fold protocol.
#include "app/command.h"
#include "app/describe.h"
#include "app/output_locks.h"
#include "cluster/host/agree.h"
#include "core/log.h"
#include "trainer/apply/models.h"
#include "trainer/apply/pair_set.h"

namespace facemae {

ExitCode run_evaluate(App& app, Words words) {
  std::string from, network_name, pairs, folder, store_folder, csv, device = "auto";
  std::vector<std::string> bins;
  int folds = 0;
  bool bgr = false;
  Options options(
      "Verification by the 10-fold protocol: embedding of the image plus that of its mirror image, normalised; "
      "the threshold comes from nine folds, the accuracy from the tenth. Images are sharded over the ranks.",
      "evaluate --from WEIGHTS (--store STORE --pairs FILE | --images DIR --pairs FILE | --bin FILE...) "
      "[OPTIONS]");
  options.group("Evaluation")
      .require("from", from, "RUN, a checkpoint of it, or weights in safetensors")
      .add("network", network_name, "name of the network, when the weights do not have it")
      .add("store", store_folder, "store whose rows --pairs names (`facemae pairs` made them)")
      .add("images", folder, "folder whose files --pairs names")
      .add("pairs", pairs, "text of pairs: `a b same` per line, folds in order")
      .add("bin", bins, "InsightFace verification packs")
      .add("folds", folds, "folds of the protocol; 0: what the pairs say, else 10")
      .add("csv", csv, "file to write, one line per set")
      .flag("bgr", bgr, "the network was trained on BGR images")
      .choice("device", device, {"auto", "cpu", "cuda", "mixed"}, "device to compute on");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(!store_folder.empty() + !folder.empty() + !bins.empty() == 1,
                "give one of --store, --images and --bin");
  options.check(pairs.empty() == !bins.empty(), "--store and --images need --pairs, --bin does not");
  options.check(folds == 0 || folds >= 2, "--folds must be at least 2");
  if (!options.finish()) return ExitCode::Done;
  World& world = app.world({.device = device});
  std::shared_ptr<RecognitionNetwork> network;
  std::vector<PairSet> sets;
  OutputLocks locks("evaluate");
  std::string hash;
  together(world.control(), [&] {
    if (world.control().is_root()) locks.file("--csv", csv);
    const Weights weights = read_weights(from);
    hash = weights.hash;
    network = network_from(weights, network_name);
    network->to(world.device());
    for (const auto& bin : bins) sets.push_back(pairs_of_pack(bin));
    if (!store_folder.empty()) sets.push_back(pairs_of_store(pairs, store_folder));
    if (!folder.empty()) sets.push_back(pairs_of_folder(pairs, folder));
  });
  expect_same_weights(world.control(), from, hash);
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  std::string table = "set,pairs,folds,accuracy,accuracy_std,auc,eer\n";
  for (const auto& set : sets) {
    const Verification figures = verify_pairs(set, *network, world, {.bgr = bgr}, folds).figures;
    if (!world.control().is_root()) continue;
    fmt::print("{}: accuracy {:.2f} % +- {:.2f} ({} pairs, {} folds), AUC {:.4f}, EER {:.2f} %\n", set.name,
               100 * figures.accuracy, 100 * figures.accuracy_std, set.same.size(), figures.folds.size(),
               figures.auc, 100 * figures.eer);
    table += fmt::format("{},{},{},{},{},{},{}\n", set.name, set.same.size(), figures.folds.size(),
                         figures.accuracy, figures.accuracy_std, figures.auc, figures.eer);
    results.push_back(describe(figures));
    results.back()["set"] = set.name;
  }
  if (world.control().is_root() && !csv.empty()) write_output(real_files(), csv, table);
  app.result({{"from", from}, {"sets", results}});
  return ExitCode::Done;
}

}  // namespace facemae
