// evaluate --store, --images and --bin: accuracy by folds, and the curve over all pairs.
#include "app/describe.h"
#include "app/use/evaluate.h"
#include "cluster/host/agree.h"
#include "core/log.h"
#include "evaluation/verification/verification_tables.h"
#include "trainer/apply/pair_set.h"

namespace facemae {
namespace {

void print_pairs(const Evaluated& evaluated) {
  const Verification& figures = evaluated.figures;
  std::string rates;
  for (const auto& [far, tar] : figures.tar_at_far)
    rates += fmt::format("{}{:.2f} % at FAR {:g} %", rates.empty() ? ", TAR " : ", ", 100 * tar, 100 * far);
  fmt::print(
      "{}: accuracy {:.2f} % +- {:.2f} ({} pairs, {} folds), AUC {:.4f}, EER {:.2f} %, threshold {:.3f}{}{}\n",
      evaluated.set, 100 * figures.accuracy, 100 * figures.accuracy_std, evaluated.pairs,
      figures.folds.size(), figures.auc, 100 * figures.eer, figures.threshold, rates,
      evaluated.xnorm ? fmt::format(", norm {:.3f}", *evaluated.xnorm) : "");
  if (figures.collapsed) spdlog::warn(collapse_of(evaluated));
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

/// What the files are to hold.
struct PairTables {
  std::string figures = figures_heading(), scores = scores_heading(), roc = roc_heading();
};

nlohmann::ordered_json take(const PairSet& set, const Evaluated& evaluated, const EvaluateOptions& options,
                            PairTables& tables) {
  print_pairs(evaluated);
  tables.figures += figures_line(evaluated);
  if (!options.scores.empty()) tables.scores += score_lines(set, evaluated.distances);
  if (!options.roc.empty()) tables.roc += roc_lines(set.name, scores_of(evaluated.distances, set.same), 1);
  nlohmann::ordered_json result = describe(evaluated.figures);
  if (evaluated.xnorm) result["xnorm"] = *evaluated.xnorm;
  result["set"] = set.name;
  return result;
}

}  // namespace

nlohmann::ordered_json evaluate_pairs(World& world, const EvaluateOptions& options, EmbeddingSource& source) {
  std::vector<PairSource> sources;
  if (!options.pairs.empty())
    sources.push_back({.pairs = options.pairs,
                       .store = options.store,
                       .images = options.images,
                       .landmarks = options.landmarks});
  for (const auto& bin : options.bins) sources.push_back({.pairs = bin});
  const auto sets = open_pair_sets(world, sources, options.folds, /*with_images=*/false);
  refuse_faults(sets);
  const bool root = world.control().is_root();
  nlohmann::ordered_json results = nlohmann::ordered_json::array();
  PairTables tables;
  for (const auto& set : sets) {
    if (root && source.trained_on().defined()) warn_of_seen_people(set, source.trained_on());
    const Embeddings embeddings = source.of(named_images(set));
    together(world.control(), [&] {
      if (root)
        results.push_back(take(set, verify_embedded(set, embeddings, options.folds), options, tables));
    });
  }
  together(world.control(), [&] {
    if (!root) return;
    if (!options.csv.empty()) write_output(real_files(), options.csv, tables.figures);
    if (!options.scores.empty()) write_output(real_files(), options.scores, tables.scores);
    if (!options.roc.empty()) write_output(real_files(), options.roc, tables.roc);
  });
  return {{"from", options.from}, {"sets", results}};
}

}  // namespace facemae
