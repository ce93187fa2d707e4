// evaluate --ijb: IJB-B and IJB-C, 1:1 and 1:N.
#include <torch/torch.h>

#include "app/use/evaluate.h"
#include "cluster/host/agree.h"
#include "core/fields.h"
#include "core/log.h"
#include "core/text.h"
#include "evaluation/verification/verification_tables.h"
#include "trainer/apply/ijb_set.h"

namespace facemae {
namespace {

struct IjbFigures {
  std::size_t faces = 0, templates = 0, pairs = 0, same = 0;
  std::vector<TarAtFar> rates;
  std::optional<double> xnorm;
  std::optional<IjbSearchFigures> search;
};

void print_ijb(const std::string& set, const IjbFigures& figures) {
  fmt::print("{}: {} faces, {} templates, {} pairs, {} of them of one person{}\n", set,
             human_count(figures.faces), human_count(figures.templates), human_count(figures.pairs),
             human_count(figures.same), figures.xnorm ? fmt::format(", norm {:.3f}", *figures.xnorm) : "");
  for (const auto& rate : figures.rates)
    fmt::print("  FAR {:g}: TAR {:.2f} %, {:.2f} % by arcface_torch's rule (at FAR {:.3g})\n", rate.far,
               100 * rate.tar, 100 * rate.nearest_tar, rate.nearest_far);
  if (!figures.search) return;
  fmt::print("  1:N, {} probes in a gallery of {}:", human_count(figures.search->probes),
             human_count(figures.search->gallery));
  for (const auto& at : figures.search->ranks) fmt::print(" rank {} {:.2f} %", at.rank, 100 * at.rate);
  for (const auto& at : figures.search->rates)
    fmt::print(", TPIR {:.2f} % at FPIR {:g} by arcface_torch's definition", 100 * at.tpir, at.fpir);
  fmt::print("\n");
}

nlohmann::ordered_json describe_ijb(const std::string& set, const IjbFigures& figures) {
  nlohmann::ordered_json result = {{"set", set},
                                   {"faces", figures.faces},
                                   {"templates", figures.templates},
                                   {"pairs", figures.pairs},
                                   {"same", figures.same}};
  if (figures.xnorm) result["xnorm"] = *figures.xnorm;
  auto& rates = result["tar_at_far"] = nlohmann::ordered_json::array();
  for (const auto& rate : figures.rates)
    rates.push_back({{"far", rate.far},
                     {"tar", rate.tar},
                     {"nearest_far", rate.nearest_far},
                     {"nearest_tar", rate.nearest_tar}});
  if (!figures.search) return result;
  auto& search =
      result["search"] = {{"probes", figures.search->probes}, {"gallery", figures.search->gallery}};
  for (const auto& at : figures.search->ranks) search[fmt::format("rank_{}", at.rank)] = at.rate;
  auto& alarms = search["arcface_torch_tpir_at_fpir"] = nlohmann::ordered_json::array();
  for (const auto& at : figures.search->rates)
    alarms.push_back({{"fpir", at.fpir}, {"tpir", at.tpir}, {"threshold", at.threshold}});
  return result;
}

/// A heading and a line.
std::string ijb_table(const std::string& set, const IjbFigures& figures) {
  std::string heading = "set,faces,templates,pairs,same,xnorm",
              line = fmt::format("{},{},{},{},{},{}", csv_word(set), figures.faces, figures.templates,
                                 figures.pairs, figures.same,
                                 figures.xnorm ? fmt::format("{}", *figures.xnorm) : "");
  const auto add = [&](const std::string& name, double value) {
    heading += ',' + name;
    line += fmt::format(",{}", value);
  };
  for (const auto& rate : figures.rates) add(tar_name(rate.far), rate.tar);
  for (const auto& rate : figures.rates) add("nearest_" + tar_name(rate.far), rate.nearest_tar);
  if (figures.search) {
    for (const auto& at : figures.search->ranks) add(fmt::format("rank_{}", at.rank), at.rate);
    for (const auto& at : figures.search->rates)
      add(fmt::format("arcface_torch_tpir_at_fpir_{:g}", at.fpir), at.tpir);
  }
  return heading + '\n' + line + '\n';
}

}  // namespace

nlohmann::ordered_json evaluate_ijb(World& world, const EvaluateOptions& options, EmbeddingSource& source) {
  const bool root = world.control().is_root();
  IjbSet set;
  IjbPairs pairs;
  std::optional<IjbSearch> search;
  together(world.control(), [&] {
    set = open_ijb(options.ijb, options.subset);
    if (!root) return;
    pairs = ijb_pairs(options.ijb, options.subset, *set.faces);
    search = ijb_search(options.ijb, options.subset, *set.faces);
  });
  Embeddings embeddings = source.of(set.images);
  nlohmann::ordered_json result;
  together(world.control(), [&] {
    if (!root) return;
    const torch::Tensor rows = embeddings.rows.contiguous();
    const TemplateVectors templates =
        pool_templates(*set.faces, {rows.const_data_ptr<float>(), static_cast<std::size_t>(rows.numel())},
                       static_cast<std::size_t>(rows.size(1)),
                       {.normalise_faces = options.normalise_faces, .use_scores = !options.no_face_scores});
    const PairScores<float> scores = score_pairs(templates, pairs, torch::get_num_threads());
    IjbFigures figures{.faces = set.faces->size(),
                       .templates = set.faces->template_ids.size(),
                       .pairs = pairs.size(),
                       .same = scores.same.size(),
                       .rates = tar_at_far(scores),
                       .xnorm = embeddings.xnorm,
                       .search = {}};
    if (search) figures.search = search_templates(templates, *search, torch::get_num_threads());
    print_ijb(options.subset, figures);
    if (!options.csv.empty()) write_output(real_files(), options.csv, ijb_table(options.subset, figures));
    if (!options.roc.empty())
      write_output(real_files(), options.roc, roc_heading() + roc_lines(options.subset, scores, -1));
    result = describe_ijb(options.subset, figures);
  });
  return {{"from", options.from}, {"ijb", result}};
}

}  // namespace facemae
