// facemae evaluate: verification accuracy by the 10-fold protocol.
#include "app/command.h"
#include "app/describe.h"
#include "app/output_locks.h"
#include "cluster/host/agree.h"
#include "core/log.h"
#include "evaluation/verification/verification_tables.h"
#include "trainer/apply/models.h"
#include "trainer/apply/pair_set.h"

namespace facemae {
namespace {

void print(const PairSet& set, const Verification& figures) {
  std::string rates;
  for (const auto& [far, tar] : figures.tar_at_far)
    rates += fmt::format("{}{:.2f} % at FAR {:g} %", rates.empty() ? "" : ", ", 100 * tar, 100 * far);
  fmt::print(
      "{}: accuracy {:.2f} % +- {:.2f} ({} pairs, {} folds), AUC {:.4f}, EER {:.2f} %, threshold {:.3f}, TAR {}\n",
      set.name, 100 * figures.accuracy, 100 * figures.accuracy_std, set.same.size(), figures.folds.size(),
      figures.auc, 100 * figures.eer, figures.threshold, rates);
}

std::string score_lines(const PairSet& set, const std::vector<double>& distances) {
  std::string lines;
  for (std::size_t i = 0; i < distances.size(); ++i)
    lines += score_line({.set = set.name,
                         .pair = i,
                         .first = set.images.name(static_cast<std::size_t>(set.first[i])),
                         .second = set.images.name(static_cast<std::size_t>(set.second[i])),
                         .distance = distances[i],
                         .same = set.same[i] != 0});
  return lines;
}

}  // namespace

ExitCode run_evaluate(App& app, Words words) {
  std::string from, network_name, pairs, folder, store_folder, csv, scores, device = "auto",
                                                                            precision = "float32";
  std::vector<std::string> bins;
  int folds = 0;
  bool bgr = false;
  Options options(
      "Verification by the 10-fold protocol: embedding of the image plus that of its mirror image, normalised; "
      "the threshold comes from nine folds, the accuracy from the tenth. TAR at FAR is over all pairs. Images are "
      "sharded over the ranks.",
      "evaluate --from WEIGHTS (--store STORE --pairs FILE | --images DIR --pairs FILE | --bin FILE...) "
      "[OPTIONS]");
  options.group("Evaluation")
      .require("from", from, "RUN, a checkpoint of it, or weights: safetensors or a file of PyTorch")
      .add("network", network_name, "name of the network, when the weights do not have it")
      .add("store", store_folder, "store whose rows --pairs names (`facemae pairs` made them)")
      .add("images", folder, "folder whose files --pairs names")
      .add(
          "pairs", pairs,
          "text of pairs, folds in order: `a b same` per line, also with commas or tabs and a heading; LFW's "
          "`name i j` and `name i name j`; or CALFW's and CPLFW's, an image and its number per line "
          "(docs/FORMATS.md, Pairs)")
      .add("bin", bins, "InsightFace verification packs, pickle protocols 0 to 5")
      .add("folds", folds, "folds of the protocol; 0: what the pairs say, else 10")
      .add("csv", csv, "file to write, one line per set")
      .add("scores", scores, "CSV file to write, one line per pair: its images and their squared distance")
      .flag("bgr", bgr,
            "the network was trained on BGR images, where its file does not say so (`import --bgr`)")
      .choice("device", device, {"auto", "cpu", "cuda", "mixed"}, "device to compute on")
      .choice(
          "precision", precision, {"float32", "tf32", "bfloat16"},
          "number format of the network's layers; tf32 needs a GPU, bfloat16 also runs on CPUs that have it. "
          "float32 unless given, whatever the network was trained in, so that embeddings agree between machines");
  if (!options.parse(words, app.common)) return ExitCode::Done;
  options.check(!store_folder.empty() + !folder.empty() + !bins.empty() == 1,
                "give one of --store, --images and --bin");
  options.check(pairs.empty() == !bins.empty(), "--store and --images need --pairs, --bin does not");
  options.check(folds == 0 || folds >= 2, "--folds must be at least 2");
  if (!options.finish()) return ExitCode::Done;
  World& world = app.world({.device = device});
  std::shared_ptr<RecognitionNetwork> network;
  OutputLocks locks("evaluate");
  std::string hash;
  torch::Tensor trained_on;
  EmbedConfig config{.bgr = bgr};
  together(world.control(), [&] {
    config.precision = applied_precision(precision, world.device());
    if (world.control().is_root()) {
      locks.file("--csv", csv);
      locks.file("--scores", scores);
    }
    const Weights weights = read_weights(from);
    hash = weights.hash;
    trained_on = weights.training_identities;
    config.bgr &= !takes_bgr(weights);  // else the network takes RGB already
    network = network_at_work(weights, world.device(), network_name);
  });
  expect_same_weights(world.control(), from, hash);
  std::vector<PairSource> sources;
  if (!pairs.empty()) sources.push_back({.pairs = pairs, .store = store_folder, .images = folder});
  for (const auto& bin : bins) sources.push_back({.pairs = bin});
  const auto sets = open_pair_sets(world, sources, folds, /*with_images=*/false);
  refuse_faults(sets);
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  std::string table = figures_heading(), lines = scores_heading();
  for (const auto& set : sets) {
    if (world.control().is_root()) warn_of_seen_people(set, trained_on);
    const Evaluated evaluated = verify_pairs(set, *network, world, config, folds);
    if (!world.control().is_root()) continue;
    print(set, evaluated.figures);
    table += figures_line(evaluated);
    if (!scores.empty()) lines += score_lines(set, evaluated.distances);
    results.push_back(describe(evaluated.figures));
    results.back()["set"] = set.name;
  }
  if (world.control().is_root()) {
    if (!csv.empty()) write_output(real_files(), csv, table);
    if (!scores.empty()) write_output(real_files(), scores, lines);
  }
  app.result({{"from", from}, {"sets", results}});
  return ExitCode::Done;
}

}  // namespace facemae
