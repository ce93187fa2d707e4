#include "evaluation/verification/verification_tables.h"

#include "core/fields.h"
#include "core/log.h"

namespace facemae {

std::string figures_heading() {
  return "set,pairs,folds,accuracy,accuracy_std,auc,eer,threshold,tar_at_far_0.1,tar_at_far_0.01,tar_at_far_0.001\n";
}

std::string figures_line(const Evaluated& evaluated) {
  const Verification& figures = evaluated.figures;
  std::string line =
      fmt::format("{},{},{},{},{},{},{},{}", csv_word(evaluated.set), evaluated.pairs, figures.folds.size(),
                  figures.accuracy, figures.accuracy_std, figures.auc, figures.eer, figures.threshold);
  for (const auto& at : figures.tar_at_far) line += fmt::format(",{}", at.tar);
  return line + '\n';
}

std::string scores_heading() { return "set,pair,first,second,distance,same\n"; }

std::string score_line(const PairScore& score) {
  return fmt::format("{},{},{},{},{},{}\n", csv_word(score.set), score.pair, csv_word(score.first),
                     csv_word(score.second), score.distance, score.same ? 1 : 0);
}

}  // namespace facemae
