#include "trainer/apply/ijb_set.h"

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

Path list_of(const Path& folder, const std::string& subset, const std::string& rest) {
  return folder / "meta" / (subset + rest);
}

Hash128 contents_of(const IjbFaces& faces) {
  Hasher contents;
  for (const auto& name : faces.names) contents.add(bytes_of(name + '\n'));
  for (const auto& points : faces.points) contents.add(std::as_bytes(std::span(points)));
  return contents.digest();
}

}  // namespace

IjbSet open_ijb(const Path& folder, const std::string& subset) {
  const Path crops = folder / "loose_crop";
  const Path scores = list_of(folder, subset, "_name_5pts_score.txt"),
             media = list_of(folder, subset, "_face_tid_mid.txt");
  for (const auto& path : {scores, media})
    if (!std::filesystem::exists(path))
      throw ConfigError(
          fmt::format("{} is not there: --ijb names a folder with loose_crop/ and meta/, as InsightFace "
                      "publishes it, and --subset which of its sets",
                      path.string()));
  auto faces = std::make_shared<const IjbFaces>(read_ijb_faces(TextLines(scores), TextLines(media)));
  return {.images = {.size = faces->size(),
                     .read = [crops, faces](std::size_t i) { return read_bytes(crops / faces->names[i]); },
                     .name = [crops, faces](std::size_t i) { return (crops / faces->names[i]).string(); },
                     .points = [faces](std::size_t i, int, int) { return faces->points[i]; },
                     .contents = contents_of(*faces)},
          .faces = faces};
}

IjbPairs ijb_pairs(const Path& folder, const std::string& subset, const IjbFaces& faces) {
  return read_ijb_pairs(TextLines(list_of(folder, subset, "_template_pair_label.txt")), faces);
}

std::optional<IjbSearch> ijb_search(const Path& folder, const std::string& subset, const IjbFaces& faces) {
  const char part = subset == "ijbb" ? 'S' : 'G';
  std::vector<TextLines> lists;
  for (const std::string& rest :
       {fmt::format("_1N_gallery_{}1.csv", part), fmt::format("_1N_gallery_{}2.csv", part),
        std::string("_1N_probe_mixed.csv")}) {
    const Path path = list_of(folder, subset, rest);
    if (!std::filesystem::exists(path)) {
      spdlog::info("1:N is left out, for {} is not there", path.string());
      return std::nullopt;
    }
    lists.emplace_back(path);
  }
  TextLines probes = std::move(lists.back());
  lists.pop_back();
  return read_ijb_search(std::move(lists), std::move(probes), faces);
}

}  // namespace facemae
