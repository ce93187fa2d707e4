#pragma once
// Exact nearest-neighbour ranks, streamed: where among N gallery images does the attacker
// place a probe's mates?
#include <cstdint>
#include <vector>

#include "evaluation/linkage/linkage.h"

namespace facemae {

/// Place of a probe's mates in its ranking of the gallery. Scores within 1e-6 of each other are ties
/// (rounding of a float32 product); an attacker breaks ties by chance, so figures are expectations over a
/// random order of the tied: identical features for everybody give exactly chance. A copy of the original
/// (LinkageInput::gallery_picture) is a mate like the original.
struct Standing {
  std::int64_t mates = 0;        ///< 0: the gallery holds none, and the probe is not counted
  std::int64_t others = 0;       ///< images that compete with them
  std::int64_t better = 0;       ///< others above the best mate
  std::int64_t tied_others = 0;  ///< others level with the best mate
  std::int64_t tied_mates = 0;   ///< mates level with the best mate, itself included
  double average_precision = 0;

  double rank() const;              ///< expected rank of the first mate, from 1
  double hit_at(int places) const;  ///< probability that a mate is among the first `places`
};

/// Counts of cosine similarity in kScoreBins equal bins from -1 to 1.
using ScoreCounts = std::vector<std::uint64_t>;
inline constexpr std::int64_t kScoreBins = 1 << 18;
/// Lower edge of a bin.
double score_edge(std::int64_t bin);

struct Rankings {
  std::vector<Standing> same_image;  ///< [P] the mates are the probe's original and its copies
  std::vector<Standing>
      same_identity;  ///< [P] the mates are the person's other images; original and copies are taken out
  ScoreCounts own, mated,
      others;  ///< probe with its original, with the person's other images, with other people
  std::vector<float> mated_scores;  ///< of probe i: mated_start[i] to mated_start[i + 1]
  std::vector<std::int64_t> mated_start;
};

/// Ranks the whole gallery for every probe by blocked matrix products. Memory beside the input: O(block * N),
/// about `block_bytes`; a slice of the probes gives that slice of the answer, so probes can be shared out
/// over ranks. Throws ConfigError when sizes disagree, DataError when a mate is outside the gallery or is
/// another person's image.
Rankings rank_mates(const LinkageInput& input, std::int64_t block_bytes = 64 << 20);

}  // namespace facemae
