#include "evaluation/attacks/attribute_probe.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "core/error.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "core/random/permutation.h"
#include "evaluation/statistics/intervals.h"

namespace facemae {
namespace {

constexpr int kRiskDraws = 1000;
constexpr double kRidges[] = {1e-3, 1e-2, 1e-1, 1, 10, 100};  ///< times the mean eigenvalue
using AttributeValues = std::vector<double>;
using ClassNumbers = std::vector<std::int64_t>;

torch::Tensor class_index(const ClassNumbers& numbers) {
  return torch::tensor(at::ArrayRef<std::int64_t>(numbers));
}

/// Guesses for the classes `to`, by ridge regression on the classes `from` and the targets of these; in the dual form,
/// with the ridge of the least leave-one-out error.
torch::Tensor ridge_guesses(const torch::Tensor& classes, const ClassNumbers& from, const ClassNumbers& to,
                            const torch::Tensor& targets) {
  const auto rows = classes.index_select(0, class_index(from)).to(torch::kFloat64);
  const auto mean = rows.mean(0, true), x = rows - mean;
  const auto level = targets.mean(), y = targets - level;
  const auto [values, vectors] = at::linalg_eigh(x.matmul(x.t()));
  const auto spectrum = values.clamp_min(0), turned = vectors.t().mv(y);
  const double unit = std::max(spectrum.mean().item<double>(), 1e-12);
  double least = std::numeric_limits<double>::infinity();
  torch::Tensor best;
  for (const double ridge : kRidges) {
    const auto shrunk = 1 / (spectrum + ridge * unit);
    const auto weights = vectors.mv(shrunk * turned);                    // of the dual
    const auto leverage = vectors.square().mv(shrunk).clamp_min(1e-12);  // (K + ridge)^-1, its diagonal
    const double error = (weights / leverage).square().sum().item<double>();
    if (error < least) {
      least = error;
      best = weights;
    }
  }
  const auto other = classes.index_select(0, class_index(to)).to(torch::kFloat64) - mean;
  return other.matmul(x.t()).mv(best) + level;
}

/// Nobody's value is known beyond the table: of images without identity, each a person of its own.
double value_of(const AttributeValues& values, std::int64_t person) {
  return person < std::ssize(values) ? values[static_cast<std::size_t>(person)]
                                     : std::numeric_limits<double>::quiet_NaN();
}

/// An attribute as a yes (1) or no (0) by person, NaN unknown, cut where the people of `classes` tell it to.
std::optional<AttributeValues> yes_or_no(const AttributeValues& values,
                                         const std::vector<ClassNumbers>& people_of_class,
                                         const ClassNumbers& classes) {
  AttributeValues known;
  for (const auto c : classes)
    for (const auto person : people_of_class[static_cast<std::size_t>(c)])
      if (const double value = value_of(values, person); !std::isnan(value)) known.push_back(value);
  if (known.empty()) return {};
  std::sort(known.begin(), known.end());
  const auto kinds = [&] {
    AttributeValues different = known;
    different.erase(std::unique(different.begin(), different.end()), different.end());
    return different.size();
  }();
  if (kinds < 2) return {};
  // More than the cut is a yes; of two values the larger one.
  const double middle = known[(known.size() - 1) / 2];
  const double cut = kinds == 2 || middle == known.back() ? known.front() : middle;
  AttributeValues answers;
  for (const double value : values) answers.push_back(std::isnan(value) ? value : value > cut ? 1 : 0);
  return answers;
}

/// What was guessed right of one person, and how often the same guess is right of people in other classes.
struct Guess {
  std::int64_t person = 0;
  double hit = 0, control = 0;
};

/// Tries the probe on the classes `to`.
void guess(const torch::Tensor& classes, const std::vector<ClassNumbers>& people_of_class,
           const AttributeValues& values, const ClassNumbers& from, const ClassNumbers& to,
           std::vector<Guess>& guesses) {
  const auto answers = yes_or_no(values, people_of_class, from);
  if (!answers) return;
  ClassNumbers told;
  AttributeValues targets;
  const auto sums = [&](std::int64_t c) {
    std::array<double, 2> yes_and_known{};
    for (const auto person : people_of_class[static_cast<std::size_t>(c)])
      if (const double answer = value_of(*answers, person); !std::isnan(answer)) {
        yes_and_known[0] += answer;
        ++yes_and_known[1];
      }
    return yes_and_known;
  };
  for (const auto c : from)
    if (const auto [yes, known] = sums(c); known > 0) {
      told.push_back(c);
      targets.push_back(2 * yes / known - 1);
    }
  const auto guessed =
      ridge_guesses(classes, told, to, torch::tensor(at::ArrayRef<double>(targets), torch::kFloat64));
  double all_yes = 0, all_known = 0;
  for (const auto c : to) {
    const auto [yes, known] = sums(c);
    all_yes += yes;
    all_known += known;
  }
  for (std::size_t i = 0; i < to.size(); ++i) {
    const bool says_yes = guessed[static_cast<std::int64_t>(i)].item<double>() > 0;
    const auto [yes, known] = sums(to[i]);
    const double others = all_known - known, others_yes = all_yes - yes;
    if (others <= 0) continue;
    const double control = (says_yes ? others_yes : others - others_yes) / others;
    for (const auto person : people_of_class[static_cast<std::size_t>(to[i])])
      if (const double answer = value_of(*answers, person); !std::isnan(answer))
        guesses.push_back({person, (answer > 0.5) == says_yes ? 1.0 : 0.0, control});
  }
}

double risk(double hits, double controls, double trials) {
  const double room = trials - controls;
  return room > 1e-9 ? (hits - controls) / room : 0;
}

Figure risk_of(const std::vector<Guess>& guesses, std::uint64_t seed) {
  double hits = 0, controls = 0;
  AttributeValues right, trials(guesses.size(), 1.0);
  ClassNumbers people;
  for (const Guess& one : guesses) {
    hits += one.hit;
    controls += one.control;
    right.push_back(one.hit);
    people.push_back(one.person);
  }
  const auto count = static_cast<double>(guesses.size());
  Figure found{risk(hits, controls, count)};
  // The probe of each half was fitted on the people of the other, so hits are not quite independent: simulated without
  // any effect, the risk varied 1.2 times as much as draws of as many people do, hence draws of two thirds.
  const std::size_t drawn = (2 * guesses.size() + 2) / 3;
  AttributeValues draws;
  for (std::uint64_t draw = 0; draw < kRiskDraws; ++draw) {
    Draws random(key_of(seed, Purpose::Audit, 3, draw));
    double some_hits = 0, some_controls = 0;
    for (std::size_t i = 0; i < drawn; ++i) {
      const Guess& one = guesses[random.below(guesses.size())];
      some_hits += one.hit;
      some_controls += one.control;
    }
    draws.push_back(risk(some_hits, some_controls, static_cast<double>(drawn)));
  }
  std::sort(draws.begin(), draws.end());
  const Figure attack = interval_by_person(right, trials, people);
  found.low = std::min(draws[kRiskDraws / 40], risk(attack.low * count, controls, count));
  found.high = std::max(draws[kRiskDraws - 1 - kRiskDraws / 40], risk(attack.high * count, controls, count));
  return found;
}

}  // namespace

std::vector<AttackFigure> attribute_risks(const torch::Tensor& classes,
                                          const std::vector<std::vector<std::int64_t>>& people_of_class,
                                          const Attributes& attributes, const std::string& attacker,
                                          std::uint64_t seed) {
  const auto count = std::ssize(people_of_class);
  if (count < 4 || classes.size(0) != count)
    throw ConfigError(fmt::format(
        "guessing attributes: {} classes with features of {} are too few to learn on one half and try on the other: at least 4 are needed",
        count, classes.size(0)));
  const torch::NoGradGuard no_gradients;
  const Permutation place(static_cast<std::uint64_t>(count), key_of(seed, Purpose::Split, 3));
  std::array<ClassNumbers, 2> halves;
  for (std::int64_t c = 0; c < count; ++c)
    halves[place(static_cast<std::uint64_t>(c)) < static_cast<std::uint64_t>(count / 2) ? 0 : 1].push_back(c);
  std::vector<AttackFigure> all;
  for (std::size_t a = 0; a < attributes.names.size(); ++a) {
    std::vector<Guess> guesses;
    guess(classes, people_of_class, attributes.values[a], halves[0], halves[1], guesses);
    guess(classes, people_of_class, attributes.values[a], halves[1], halves[0], guesses);
    if (guesses.empty()) continue;
    all.push_back({.metric = "attribute_residual_risk",
                   .attack = "A13",
                   .attacker = attacker,
                   .of = attributes.names[a],
                   .found = risk_of(guesses, seed),
                   .people = std::ssize(guesses)});
  }
  return all;
}

torch::Tensor class_means(const torch::Tensor& features, const std::vector<std::int64_t>& classes,
                          std::int64_t class_count) {
  const auto index = torch::tensor(at::ArrayRef<std::int64_t>(classes));
  const auto counts =
      torch::zeros({class_count}).index_add_(0, index, torch::ones({features.size(0)})).clamp_min(1);
  return torch::zeros({class_count, features.size(1)}).index_add_(0, index, features) / counts.unsqueeze(1);
}

}  // namespace facemae
