#pragma once
// Verification figures and scores as CSV (RFC 4180), for `evaluate --csv` and `--scores`.
#include <string>
#include <string_view>

#include "evaluation/verification/verification.h"

namespace facemae {

/// The heading of the figures, then one line per set. With its line's end.
std::string figures_heading();
std::string figures_line(const Evaluated& evaluated);

/// "tar_at_far_0.001": what a rate is called in tables and metrics.
std::string tar_name(double far);

/// What to say of a set whose distances collapsed.
std::string collapse_of(const Evaluated& evaluated);

/// The points of a curve at which true accepts rise: the shares that are accepted up to a threshold, which is `sign`
/// times the score (-1 where scores are similarities with the sign changed).
std::string roc_heading();
template <class Score>
std::string roc_lines(const std::string& set, const PairScores<Score>& sorted, double sign);

/// One pair of a set, for the heading "set,pair,first,second,distance,same".
struct PairScore {
  std::string_view set;
  std::size_t pair = 0;       ///< from 0
  std::string first, second;  ///< names of the images
  double distance = 0;        ///< squared, of the embeddings; below the threshold: taken for the same person
  bool same = false;
};
std::string scores_heading();
std::string score_line(const PairScore& score);

}  // namespace facemae
