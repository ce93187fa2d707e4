#include "trainer/takeover/arcface_files.h"

#include <map>
#include <regex>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

/// The files whose whole name is the pattern, which has the rank in brackets, by rank.
std::vector<Path> by_rank(const Path& folder, const std::string& pattern) {
  const std::regex form(pattern);
  std::map<std::size_t, Path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::smatch match;
    const std::string name = entry.path().filename().string();
    if (std::regex_match(name, match, form)) found.emplace(std::stoul(match[1].str()), entry.path());
  }
  std::vector<Path> files;
  for (const auto& [rank, file] : found) {
    if (rank != files.size())
      throw ConfigError(fmt::format(
          "{} is there, but not that of GPU {}: all files of the run are needed, also those of its other nodes",
          file.string(), files.size()));
    files.push_back(file);
  }
  return files;
}

}  // namespace

ArcfaceFiles find_arcface_files(const Path& folder) {
  if (!std::filesystem::is_directory(folder))
    throw ConfigError("--arcface-torch " + folder.string() + " is no folder: give the run's `output`");
  ArcfaceFiles files{.whole = by_rank(folder, "checkpoint_gpu_([0-9]{1,6})\\.pt"),
                     .backbone = {},
                     .centres = {},
                     .momenta = {}};
  if (!files.whole.empty()) return files;
  files.centres = by_rank(folder, "rank[_:]([0-9]{1,6})_softmax_weight\\.pt");
  files.momenta = by_rank(folder, "rank[_:]([0-9]{1,6})_softmax_weight_mom\\.pt");
  for (const char* name : {"model.pt", "backbone.pth"})
    if (files.backbone.empty() && std::filesystem::exists(folder / name)) files.backbone = folder / name;
  if (files.centres.empty() || files.backbone.empty())
    throw ConfigError(fmt::format(
        "{} has neither checkpoint_gpu_0.pt (of a run with save_all_states) nor both of a backbone (model.pt or backbone.pth) "
        "and rank_0_softmax_weight.pt: without class centres a run cannot go on. A new one begins with `recognize --init "
        "BACKBONE`",
        folder.string()));
  if (!files.momenta.empty() && files.momenta.size() != files.centres.size())
    throw ConfigError(
        fmt::format("{} has the class centres of {} GPUs, but the momenta of {}: fetch the others, or take "
                    "these away, to begin with momenta of 0",
                    folder.string(), files.centres.size(), files.momenta.size()));
  return files;
}

}  // namespace facemae
