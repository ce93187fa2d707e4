#pragma once
// From the embeddings of faces to one vector for each template, and from these to scores (docs/METHOD.md, "IJB").
#include <cstdint>
#include <span>
#include <vector>

#include "evaluation/ijb/ijb_meta.h"
#include "evaluation/statistics/roc.h"

namespace facemae {

/// How a face counts in its template. By default as in arcface_torch's "N1D1": the raw embedding times the score.
struct IjbVariant {
  bool normalise_faces = false;  ///< embeddings are brought to norm 1 first ("N0")
  bool use_scores = true;        ///< false: the detector's scores count for nothing ("D0")
};

struct TemplateVectors {
  std::size_t width = 0;
  std::vector<float> values;  ///< [templates, width], rows of norm 1; an embedding of nothing stays zero

  std::span<const float> operator[](std::size_t i) const { return {values.data() + i * width, width}; }
};
/// embeddings: [faces, width] by row, finite. The mean within a media, the sum over the media of a template, L2: in double
/// precision, then float32. Throws DataError when the numbers of faces differ.
TemplateVectors pool_templates(const IjbFaces& faces, std::span<const float> embeddings, std::size_t width,
                               const IjbVariant& variant);

/// The dot product of two vectors as float32, added in double precision and always in the same order.
float similarity(std::span<const float> a, std::span<const float> b);

/// Scores of all pairs, with the sign changed, sorted. Beside the pairs themselves this takes 8 bytes for each.
PairScores<float> score_pairs(const TemplateVectors& templates, const IjbPairs& pairs, int threads);

/// 1:N as arcface_torch measures it.
struct IjbSearchFigures {
  std::size_t probes = 0, gallery = 0;
  struct AtRank {
    int rank;
    double
        rate;  ///< share of probes of whose others in the gallery fewer than `rank` score as high as the mate
  };
  std::vector<AtRank> ranks;
  struct AtFpir {
    double fpir, tpir, threshold;
  };
  /// The threshold is the ceil(probes x fpir)-th largest score of all probes with all templates but their mates; tpir is
  /// the share of mates above it. This counts pairs, not probes with a false alarm as NIST does.
  std::vector<AtFpir> rates;
};
/// Scores stream by: memory is a tenth of the probes' number for each thread.
IjbSearchFigures search_templates(const TemplateVectors& templates, const IjbSearch& search, int threads);

}  // namespace facemae
