#include "evaluation/ijb/ijb_meta.h"

#include <algorithm>

#include "evaluation/ijb/template_ids.h"
#include "evaluation/ijb/words.h"

namespace facemae {
namespace {

constexpr const char* kWhole = "a whole number";

void expect_end(std::string_view rest, const TextLines& lines, const char* form) {
  if (!take_word(rest).empty())
    throw DataError(fmt::format("{}: more words than a line has: {}", lines.place(), form));
}

/// A face of ..._name_5pts_score.txt.
void add_face(IjbFaces& faces, std::string_view line, const TextLines& lines) {
  faces.names.emplace_back(take_word(line));
  FacePoints points;
  for (auto& [x, y] : points) {
    x = number_of_word<double>(take_word(line), lines,
                               "a coordinate; a line has a name, ten of them and a score");
    y = number_of_word<double>(take_word(line), lines,
                               "a coordinate; a line has a name, ten of them and a score");
  }
  faces.points.push_back(points);
  faces.scores.push_back(number_of_word<float>(take_word(line), lines, "a score"));
  expect_end(line, lines, "name, x1 y1 ... x5 y5, score");
}

/// What ..._face_tid_mid.txt says of the face that was added last. Its template's id, for the time being.
std::int64_t add_media(IjbFaces& faces, std::string_view line, const TextLines& lines,
                       const TextLines& scores) {
  const std::string_view name = take_word(line);
  if (name != faces.names.back())
    throw DataError(
        fmt::format("{} names {}, but {} names {}: both lists have the same faces in the same order",
                    lines.place(), name.substr(0, 80), scores.place(), faces.names.back().substr(0, 80)));
  const auto id = number_of_word<std::int64_t>(take_word(line), lines, kWhole);
  faces.media.push_back(number_of_word<std::int64_t>(take_word(line), lines, kWhole));
  expect_end(line, lines, "name, template, media");
  return id;
}

}  // namespace

std::uint32_t position_of_template(const IjbFaces& faces, std::int64_t id, const TextLines& lines) {
  const auto& ids = faces.template_ids;
  const auto at = std::lower_bound(ids.begin(), ids.end(), id);
  if (at == ids.end() || *at != id)
    throw DataError(fmt::format("{}: template {} has no face in the list of faces, templates and media",
                                lines.place(), id));
  return static_cast<std::uint32_t>(at - ids.begin());
}

IjbFaces read_ijb_faces(TextLines scores, TextLines media) {
  IjbFaces faces;
  std::vector<std::int64_t> ids;
  std::string_view score_line, media_line;
  while (true) {
    const bool a_face = next_line_of_words(scores, score_line),
               a_media = next_line_of_words(media, media_line);
    if (a_face != a_media) {
      const TextLines &longer = a_face ? scores : media, &shorter = a_face ? media : scores;
      throw DataError(
          fmt::format("{} has no counterpart, because the other list ends before it, after {}: both lists "
                      "have a line for each face",
                      longer.place(), shorter.place()));
    }
    if (!a_face) break;
    add_face(faces, score_line, scores);
    ids.push_back(add_media(faces, media_line, media, scores));
  }
  if (faces.names.empty()) throw DataError(scores.place() + ": the list has no faces");
  faces.template_ids = ids;
  std::sort(faces.template_ids.begin(), faces.template_ids.end());
  faces.template_ids.erase(std::unique(faces.template_ids.begin(), faces.template_ids.end()),
                           faces.template_ids.end());
  for (const std::int64_t id : ids) faces.templates.push_back(position_of_template(faces, id, media));
  return faces;
}

IjbPairs read_ijb_pairs(TextLines lines, const IjbFaces& faces) {
  IjbPairs pairs;
  std::size_t same = 0;
  for (std::string_view line; next_line_of_words(lines, line);) {
    for (auto* side : {&pairs.first, &pairs.second})
      side->push_back(
          position_of_template(faces, number_of_word<std::int64_t>(take_word(line), lines, kWhole), lines));
    const std::string_view label = take_word(line);
    if (label != "0" && label != "1")
      throw DataError(
          fmt::format("{}: \"{}\" is not 0 or 1; a line has two templates, and 1 where they are of the same "
                      "person",
                      lines.place(), label.substr(0, 80)));
    pairs.same.push_back(label == "1" ? 1 : 0);
    same += label == "1" ? 1 : 0;
    expect_end(line, lines, "template, template, 0 or 1");
  }
  if (same == 0 || same == pairs.size())
    throw DataError(
        fmt::format("{}: of {} pairs {} are of the same person, but rates need pairs of both kinds",
                    lines.place(), pairs.size(), same));
  return pairs;
}

}  // namespace facemae
