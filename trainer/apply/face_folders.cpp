#include "trainer/apply/face_folders.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <unordered_map>

#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"
#include "data/formats/image_walk.h"
#include "evaluation/embeddings/streamed_ranks.h"

namespace facemae {
namespace {

constexpr std::array kSearchedRanks = {1, 5, 20};

/// Whose picture it is, by its path below `folder`. Throws ConfigError.
std::string identity_of(const std::string& path, IdentityFrom from, const Path& folder) {
  const auto slash = path.rfind('/');
  if (from == IdentityFrom::Folder) {
    if (slash == std::string::npos)
      throw ConfigError(
          fmt::format("{} lies in no folder of a person: give --identity name if names of files begin with "
                      "the person, as 12_3.jpg",
                      (folder / path).string()));
    return path.substr(0, slash);
  }
  const std::string file = slash == std::string::npos ? path : path.substr(slash + 1);
  const auto end = file.find('_');
  if (end == std::string::npos || end == 0)
    throw ConfigError(
        fmt::format("{} has no person before a _: give --identity folder if each person has a folder",
                    (folder / path).string()));
  return file.substr(0, end);
}

std::vector<std::string> pictures_below(const Path& folder, const std::string& option) {
  if (!std::filesystem::is_directory(folder))
    throw ConfigError(option + ' ' + folder.string() + " is not a folder");
  std::vector<std::string> paths;
  LeftOut left_out;
  walk_images(folder, left_out, {.folder = {}, .image = [&](const auto& image) { paths.push_back(image); }});
  std::sort(paths.begin(), paths.end());
  left_out.tell();
  if (paths.empty())
    throw ConfigError("no picture (JPEG, PNG, WebP, BMP) below " + option + ' ' + folder.string());
  return paths;
}

}  // namespace

FaceFolders open_face_folders(const Path& probe, const Path& gallery, const Path& distractors,
                              IdentityFrom from) {
  FaceFolders folders;
  std::vector<Path> files;
  std::vector<std::string> names;
  const auto add = [&](const Path& folder, const std::string& option, bool known) {
    const auto paths = pictures_below(folder, option);
    for (const auto& path : paths) {
      if (known) folders.identities.push_back(identity_of(path, from, folder));
      files.push_back(folder / path);
      names.push_back(option + '/' + path);
    }
    return paths.size();
  };
  folders.probes = add(probe, "--probe", true);
  folders.gallery = add(gallery, "--gallery", true);
  if (!distractors.empty()) folders.distractors = add(distractors, "--distractors", false);
  const auto& identities = folders.identities;
  const auto searched = identities.begin() + static_cast<std::ptrdiff_t>(folders.probes);
  if (std::none_of(identities.begin(), searched, [&](const auto& name) {
        return std::find(searched, identities.end(), name) != identities.end();
      }))
    throw ConfigError(
        fmt::format("nobody below --probe {} ({} for one) is below --gallery {} ({} for one): look at "
                    "--identity",
                    probe.string(), identities.front(), gallery.string(), *searched));
  folders.images = images_of(std::move(files), names);
  return folders;
}

IdentificationFigures identify(const FaceFolders& folders, const torch::Tensor& embeddings) {
  const auto probes = static_cast<std::int64_t>(folders.probes);
  const auto searching = embeddings_of(embeddings.slice(0, 0, probes)),
             gallery = embeddings_of(embeddings.slice(0, probes));
  std::unordered_map<std::string, std::vector<std::int64_t>> of_person;
  for (std::size_t i = 0; i < folders.gallery; ++i)
    of_person[folders.identities[folders.probes + i]].push_back(static_cast<std::int64_t>(i));
  std::vector<std::vector<ProbeMates>> questions(1, std::vector<ProbeMates>(folders.probes));
  for (std::size_t i = 0; i < folders.probes; ++i)
    if (const auto mates = of_person.find(folders.identities[i]); mates != of_person.end())
      questions[0][i].mates = mates->second;

  Progress progress("searching", folders.gallery + folders.distractors, "images");
  const auto standings =
      stream_ranks(searching->block(0, probes), *gallery, questions,
                   [&](std::int64_t seen) { progress.advance(static_cast<std::uint64_t>(seen)); })[0];
  progress.finish();
  IdentificationFigures figures{.gallery = folders.gallery + folders.distractors, .ranks = {}};
  for (const auto& standing : standings) ++(standing.mates > 0 ? figures.probes : figures.without_mate);
  for (const int rank : kSearchedRanks) {
    double hits = 0;
    for (const auto& standing : standings)
      if (standing.mates > 0) hits += standing.hit_at(rank);
    figures.ranks.push_back({rank, hits / static_cast<double>(figures.probes)});
  }
  return figures;
}

}  // namespace facemae
