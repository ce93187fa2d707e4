#pragma once
// The lists of IJB-B and IJB-C as InsightFace publishes them (docs/FORMATS.md, "IJB"). Free of LibTorch, so that a fuzzer
// can see through them.
#include <cstdint>
#include <string>
#include <vector>

#include "core/files/text_lines.h"
#include "data/image/align.h"

namespace facemae {

/// Faces in the order of the lists, which is the order of their embeddings. About 150 bytes each.
struct IjbFaces {
  std::vector<std::string> names;  ///< of files below loose_crop/
  std::vector<FacePoints> points;
  std::vector<float> scores;             ///< the detector's
  std::vector<std::uint32_t> templates;  ///< each face's template, as its position in `template_ids`
  std::vector<std::int64_t> media;
  std::vector<std::int64_t> template_ids;  ///< ascending; every one has a face

  std::size_t size() const { return names.size(); }
};
/// Of ..._name_5pts_score.txt (name, x and y of five points, score) and ..._face_tid_mid.txt (name, template, media), line
/// by line the same faces. Throws DataError naming file and line, and FileError.
IjbFaces read_ijb_faces(TextLines scores, TextLines media);

/// Pairs of templates, as positions in IjbFaces::template_ids: 9 bytes each.
struct IjbPairs {
  std::vector<std::uint32_t> first, second;
  std::vector<char> same;

  std::size_t size() const { return same.size(); }
};
/// Of ..._template_pair_label.txt (template, template, 0 or 1), which has pairs of both kinds. Throws DataError naming the
/// line, also for a template without faces, and FileError.
IjbPairs read_ijb_pairs(TextLines pairs, const IjbFaces& faces);

/// Templates to search for and in: positions in IjbFaces::template_ids, each once in a list.
struct IjbSearch {
  std::vector<std::uint32_t> gallery, probes;
  std::vector<std::uint32_t>
      mates;  ///< of each probe: the position in `gallery` of the template of its person
};
/// Of tables with the columns TEMPLATE... and SUBJECT... first: the galleries, which are searched as one, and the probes,
/// each of which has one mate. Throws DataError naming the line, and FileError.
IjbSearch read_ijb_search(std::vector<TextLines> galleries, TextLines probes, const IjbFaces& faces);

}  // namespace facemae
