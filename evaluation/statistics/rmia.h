#pragma once
// RMIA, membership by comparison (Zarifzadeh, Liu and Shokri 2024, arXiv 2312.03262): is a model better at someone
// than models that never saw them, by more than it is for other people?
#include <cstdint>
#include <span>
#include <vector>

namespace facemae {

/// Log-likelihood of one person (the mean over their photos) under the model under attack and under reference models
/// that were not trained on this person.
struct ReferencedScore {
  double target = 0;
  std::vector<double> references;
};

/// log Pr(x | model) - log mean over references of Pr(x | reference). Plain log-likelihoods tell easy faces from hard
/// ones first of all; this takes that out. Throws ConfigError without references.
double relative_score(const ReferencedScore& score);

/// For each of `relative` the part of `population` that it exceeds by log(gamma) or more: RMIA's score in 0..1, of
/// which half is given for a tie. `population` are relative scores of people outside the training; `own` is the
/// place of the person in it, who is left out there, or -1.
std::vector<double> rmia_scores(std::span<const double> relative, std::span<const std::int64_t> own,
                                std::span<const double> population, double gamma = 1);

}  // namespace facemae
