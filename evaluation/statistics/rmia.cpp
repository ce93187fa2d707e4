#include "evaluation/statistics/rmia.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace facemae {

double relative_score(const ReferencedScore& score) {
  if (score.references.empty())
    throw ConfigError(
        "comparing a model with reference models: a person has none that was not trained on them");
  const double most = *std::max_element(score.references.begin(), score.references.end());
  double sum = 0;
  for (const double reference : score.references) sum += std::exp(reference - most);
  return score.target - most - std::log(sum / static_cast<double>(score.references.size()));
}

std::vector<double> rmia_scores(std::span<const double> relative, std::span<const std::int64_t> own,
                                std::span<const double> population, double gamma) {
  const double margin = std::log(gamma);
  std::vector<double> scores;
  for (std::size_t i = 0; i < relative.size(); ++i) {
    double beaten = 0, others = 0;
    for (std::size_t z = 0; z < population.size(); ++z) {
      if (static_cast<std::int64_t>(z) == own[i]) continue;
      const double lead = relative[i] - population[z] - margin;
      beaten += lead > 0 ? 1 : lead == 0 ? 0.5 : 0;
      ++others;
    }
    scores.push_back(others > 0 ? beaten / others : 0.5);
  }
  return scores;
}

}  // namespace facemae
