#include "evaluation/embeddings/count_scores.h"

#include <algorithm>

namespace facemae {

ScoreBand count_scores(std::span<const float> scores, float low, float high) {
  ScoreBand counted;
  constexpr std::size_t kPiece = 1 << 20;  // no 32-bit counter overflows
  for (std::size_t begin = 0; begin < scores.size(); begin += kPiece) {
    std::int32_t above = 0, at_least = 0;
    for (const float score : scores.subspan(begin, std::min(kPiece, scores.size() - begin))) {
      above += score > high ? 1 : 0;
      at_least += score >= low ? 1 : 0;
    }
    counted.above += above;
    counted.within += at_least - above;
  }
  return counted;
}

}  // namespace facemae
