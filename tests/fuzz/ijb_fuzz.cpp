// IJB's lists (evaluation/ijb/ijb_meta.h): five texts in one input, parted by lines of "=".
#include "evaluation/ijb/ijb_meta.h"
#include "tests/fuzz/target.h"

namespace facemae::fuzz {
namespace {

/// The text up to a line of "=", which is taken off.
std::string_view take_text(std::string_view& rest) {
  constexpr std::string_view parted = "=\n";
  const auto end = std::min(rest.find(parted), rest.size());
  const auto text = rest.substr(0, end);
  rest.remove_prefix(std::min(end + parted.size(), rest.size()));
  return text;
}

}  // namespace

void parse(std::string_view input) {
  const auto scores = take_text(input), media = take_text(input), pairs = take_text(input),
             gallery = take_text(input);
  const IjbFaces faces = read_ijb_faces(TextLines(scores, "scores"), TextLines(media, "media"));
  const std::size_t count = faces.template_ids.size();
  require(faces.size() > 0 && faces.points.size() == faces.size() && faces.scores.size() == faces.size() &&
              faces.templates.size() == faces.size() && faces.media.size() == faces.size(),
          "each face has all of it");
  for (const auto at : faces.templates) require(at < count, "a face's template is known");
  const IjbPairs listed = read_ijb_pairs(TextLines(pairs, "pairs"), faces);
  require(listed.first.size() == listed.size() && listed.second.size() == listed.size(),
          "pairs have two sides");
  for (std::size_t i = 0; i < listed.size(); ++i)
    require(listed.first[i] < count && listed.second[i] < count, "a pair's templates are known");
  std::vector<TextLines> galleries;
  galleries.emplace_back(gallery, "gallery");
  const IjbSearch search = read_ijb_search(std::move(galleries), TextLines(input, "probes"), faces);
  require(search.mates.size() == search.probes.size(), "each probe has a mate");
  for (const auto mate : search.mates) require(mate < search.gallery.size(), "a mate is in the gallery");
}

std::vector<std::string> seeds() {
  const std::string faces =
      "1.jpg 30.5 40 70 40 50 60 35 80 65 80 0.9\n2.jpg 1 2 3 4 5 6 7 8 9 10 1\n=\n1.jpg 70 1\n2.jpg 20 2\n=\n";
  return {
      faces + "70 20 0\n20 20 1\n=\nTEMPLATE,SUBJECT\n70,1\n=\nTEMPLATE,SUBJECT\n20,1\n",
      faces +
          "70 20 0\r\n\r\n20 20 1\r\n=\ntemplate_id,subject_id,file\n70,a,b\n20,b,c\n=\nTEMPLATE, SUBJECT\n20, a\n70,a\n"};
}

}  // namespace facemae::fuzz
