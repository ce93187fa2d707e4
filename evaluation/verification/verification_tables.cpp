#include "evaluation/verification/verification_tables.h"

#include "core/fields.h"
#include "core/log.h"

namespace facemae {

std::string figures_heading() {
  std::string heading = "set,pairs,folds,accuracy,accuracy_std,auc,eer,threshold,xnorm";
  for (const double far : kFars) heading += ',' + tar_name(far);
  return heading + '\n';
}

std::string figures_line(const Evaluated& evaluated) {
  const Verification& figures = evaluated.figures;
  std::string line =
      fmt::format("{},{},{},{},{},{},{},{},", csv_word(evaluated.set), evaluated.pairs, figures.folds.size(),
                  figures.accuracy, figures.accuracy_std, figures.auc, figures.eer, figures.threshold);
  if (evaluated.xnorm) line += fmt::format("{}", *evaluated.xnorm);
  for (std::size_t i = 0; i < kFars.size(); ++i)
    line += i < figures.tar_at_far.size() ? fmt::format(",{}", figures.tar_at_far[i].tar) : ",";
  return line + '\n';
}

std::string tar_name(double far) { return fmt::format("tar_at_far_{:g}", far); }

std::string collapse_of(const Evaluated& evaluated) {
  return fmt::format(
      "all {} distances of {} lie within 0.01 of each other: the network gives everybody the same embedding, or one that is "
      "not a number, and the figures mean nothing; lower the learning rate, or take an earlier checkpoint",
      evaluated.pairs, evaluated.set);
}

std::string roc_heading() { return "set,threshold,far,tar\n"; }

template <class Score>
std::string roc_lines(const std::string& set, const PairScores<Score>& sorted, double sign) {
  std::string lines;
  const auto same = static_cast<double>(sorted.same.size()),
             different = static_cast<double>(sorted.different.size());
  std::int64_t accepted = 0;
  walk_roc(sorted, [&](const RocPoint& point) {
    if (point.same == accepted) return;
    accepted = point.same;
    lines +=
        fmt::format("{},{},{},{}\n", csv_word(set), sign * point.score,
                    static_cast<double>(point.different) / different, static_cast<double>(point.same) / same);
  });
  return lines;
}
template std::string roc_lines(const std::string&, const PairScores<float>&, double);
template std::string roc_lines(const std::string&, const PairScores<double>&, double);

std::string scores_heading() { return "set,pair,first,second,distance,same\n"; }

std::string score_line(const PairScore& score) {
  return fmt::format("{},{},{},{},{},{}\n", csv_word(score.set), score.pair, csv_word(score.first),
                     csv_word(score.second), score.distance, score.same ? 1 : 0);
}

}  // namespace facemae
