// evaluate --gallery: 1:N identification among the faces of folders.
#include "app/use/evaluate.h"
#include "cluster/host/agree.h"
#include "core/fields.h"
#include "core/log.h"
#include "core/text.h"
#include "trainer/apply/face_folders.h"

namespace facemae {
namespace {

void print_folders(const EvaluateOptions& options, const IdentificationFigures& figures) {
  std::string ranks;
  for (const auto& at : figures.ranks) ranks += fmt::format(", rank {} {:.2f} %", at.rank, 100 * at.rate);
  fmt::print("{}: {} probes in a gallery of {}{}\n", options.probe, human_count(figures.probes),
             human_count(figures.gallery), ranks);
  if (figures.without_mate > 0)
    spdlog::warn("{} probes are left out, because --gallery has no face of their people",
                 figures.without_mate);
}

std::string folders_table(const EvaluateOptions& options, const IdentificationFigures& figures) {
  std::string heading = "set,probes,gallery",
              line = fmt::format("{},{},{}", csv_word(options.probe), figures.probes, figures.gallery);
  for (const auto& at : figures.ranks) {
    heading += fmt::format(",rank_{}", at.rank);
    line += fmt::format(",{}", at.rate);
  }
  return heading + '\n' + line + '\n';
}

}  // namespace

nlohmann::ordered_json evaluate_folders(World& world, const EvaluateOptions& options,
                                        EmbeddingSource& source) {
  const bool root = world.control().is_root();
  FaceFolders folders;
  together(world.control(), [&] {
    folders = open_face_folders(options.probe, options.gallery, options.distractors,
                                options.identity == "name" ? IdentityFrom::Name : IdentityFrom::Folder);
  });
  const Embeddings embeddings = source.of(folders.images);
  nlohmann::ordered_json result;
  together(world.control(), [&] {
    if (!root) return;
    const IdentificationFigures figures = identify(folders, embeddings.rows);
    print_folders(options, figures);
    if (!options.csv.empty()) write_output(real_files(), options.csv, folders_table(options, figures));
    result = {
        {"probes", figures.probes}, {"gallery", figures.gallery}, {"without_mate", figures.without_mate}};
    if (embeddings.xnorm) result["xnorm"] = *embeddings.xnorm;
    for (const auto& at : figures.ranks) result[fmt::format("rank_{}", at.rank)] = at.rate;
  });
  return {{"from", options.from}, {"identification", result}};
}

}  // namespace facemae
