// Simulated audits of people whose exposure is known: how often the intervals hold it, and how often a release passes that
// must not. FACEMAE_SETS: how many audits of each kind (docs/METHOD.md, "Intervals", has the figures of 4,000).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "core/log.h"
#include "evaluation/gate/verdict.h"
#include "evaluation/statistics/intervals.h"
#include "evaluation/statistics/maximum.h"

namespace facemae {
namespace {

int sets() {
  const char* given = std::getenv("FACEMAE_SETS");
  return given == nullptr ? 150 : std::atoi(given);
}

/// Of a rate that is `rate` in truth, as counted in sets(): two standard errors.
double allowance(double rate) { return 2 * std::sqrt(rate * (1 - rate) / sets()); }

/// People who are found at rates of their own, around `mean`, with the correlation `alike` between pictures of one person.
/// `common` in 0..1: how much of a person's rate is the same for all attackers, by rank.
class People {
 public:
  People(double mean, double alike, std::int64_t people, std::uint64_t seed)
      : mean_(mean), spread_((1 - alike) / alike), people_(people), random_(seed) {}

  Measurement audit(int pictures) {
    Measurement measurement{.attack = "A1", .attacker = "simulated"};
    std::vector<double> hits, trials;
    std::vector<std::int64_t> persons;
    for (std::int64_t person = 0; person < people_; ++person) {
      const double rate = own_rate();
      hits.push_back(std::binomial_distribution<>(pictures, rate)(random_));
      trials.push_back(pictures);
      persons.push_back(person);
      measurement.tallies.push_back({person, hits.back(), trials.back()});
    }
    measurement.found = interval_by_person(hits, trials, persons);
    return measurement;
  }

 private:
  double own_rate() {
    const double a = std::gamma_distribution<>(mean_ * spread_)(random_),
                 b = std::gamma_distribution<>((1 - mean_) * spread_)(random_);
    // Both underflow for people who are found always or never.
    return a + b > 0 ? a / (a + b) : std::bernoulli_distribution(mean_)(random_) ? 1 : 0;
  }

  double mean_, spread_;
  std::int64_t people_;
  std::mt19937_64 random_;
};

TEST(Coverage, OfIntervalsByPersonIsNineteenOfTwentyOrMoreAtLowRates) {
  for (const double rate : {0.005, 0.02, 0.05, 0.2})
    for (const double alike : {0.1, 0.5})
      for (const std::int64_t people : {60, 120, 300}) {
        People world(rate, alike, people, 11);
        int held = 0, above = 0, below = 0;
        for (int set = 0; set < sets(); ++set) {
          const Measurement found = world.audit(16);
          held += found.found.low <= rate && rate <= found.found.high;
          above += upper_limit(found, 0.05) >= rate;
          below += lower_limit(found, 0.05) <= rate;
        }
        const double all = sets();
        fmt::print(
            "rate {:5.3f} correlation {} people {:3}: interval {:.4f}, upper limit {:.4f}, lower limit {:.4f}\n",
            rate, alike, people, held / all, above / all, below / all);
        EXPECT_GE(held / all, 0.94 - allowance(0.94));
        EXPECT_GE(above / all, 0.94 - allowance(0.94));
        EXPECT_GE(below / all, 0.94 - allowance(0.94));
      }
}

TEST(Coverage, OfPeopleWhoAreFoundTogether) {
  for (const double rate : {0.2, 0.6})
    for (const std::int64_t groups : {15, 40}) {
      constexpr int of_each = 4;
      People world(rate, 0.3, groups, 19);
      int held = 0, held_by_person = 0;
      for (int set = 0; set < sets(); ++set) {
        std::vector<Tally> people;
        std::int64_t person = 0;
        for (const Tally& group :
             world.audit(of_each).tallies)  // its hits are those of people, one trial each
          for (int i = 0; i < of_each; ++i, ++person)
            people.push_back({person, group.hits > i ? 1.0 : 0.0, 1, of_each * group.person});
        const auto holds = [&](const Figure& figure) { return figure.low <= rate && rate <= figure.high; };
        held += holds(interval_by_person(people));
        for (Tally& tally : people) tally.with = -1;
        held_by_person += holds(interval_by_person(people));
      }
      const double all = sets();
      fmt::print("rate {:3.1f}, {:2} groups of {}: {:.4f}; as if everybody were alone {:.4f}\n", rate, groups,
                 of_each, held / all, held_by_person / all);
      EXPECT_GE(held / all, 0.94 - allowance(0.94));
    }
}

/// One requirement, no controls: what is simulated is the statistics.
Policy policy_at(double threshold) {
  Policy policy{.name = "simulated", .recipient = "public"};
  policy.requirements.push_back(
      {.block = "linkability", .metric = "naming_odds", .attacks = {"A1"}, .max = threshold});
  policy.source_allows_derivatives = true;
  policy.valid_until = "2999-12-31";
  policy.digest = "noted";
  return policy;
}

Ruling ruling_of(Measurement measurement, double threshold) {
  measurement.level = Level::PhotoToClass;
  ReportedFindings findings;
  findings.measurements.push_back(std::move(measurement));
  return judge(policy_at(threshold), findings,
               {.today = "2026-01-01", .source_licence = "any", .noted_policy = "noted"})
      .ruling;
}

TEST(Verdicts, PassInFewerThanOneOfTwentyAuditsOfTwiceTheThreshold) {
  for (const double threshold : {0.02, 0.05, 0.1})
    for (const double alike : {0.1, 0.5})
      for (const int pictures : {1, 16}) {
        People bad(2 * threshold, alike, 160, 13), good(threshold / 4, alike, 160, 17);
        int passed = 0, well = 0, failed = 0;
        for (int set = 0; set < sets(); ++set) {
          passed += ruling_of(bad.audit(pictures), threshold) == Ruling::Pass;
          const Ruling ruling = ruling_of(good.audit(pictures), threshold);
          well += ruling == Ruling::Pass;
          failed += ruling == Ruling::Fail;
        }
        const double all = sets();
        fmt::print(
            "threshold {:4.2f} correlation {} pictures {:2}: twice as much passes {:.4f}; a quarter passes {:.4f}, fails {:.4f}\n",
            threshold, alike, pictures, passed / all, well / all, failed / all);
        EXPECT_LT(passed / all, 0.05);
        EXPECT_LE(failed / all, 0.05);
      }
}

/// What the interval of a maximum is not: the percentiles of the maximum over draws of people.
Figure bootstrap_of_maximum(const std::vector<Measurement>& measurements, std::mt19937_64& random) {
  constexpr int draws = 200;
  const std::size_t people = measurements[0].tallies.size();
  std::vector<double> maxima;
  for (int draw = 0; draw < draws; ++draw) {
    std::vector<std::size_t> drawn(people);
    for (auto& person : drawn) person = std::uniform_int_distribution<std::size_t>(0, people - 1)(random);
    double highest = 0;
    for (const Measurement& measurement : measurements) {
      double hits = 0, trials = 0;
      for (const std::size_t person : drawn)
        hits += measurement.tallies[person].hits, trials += measurement.tallies[person].trials;
      highest = std::max(highest, hits / trials);
    }
    maxima.push_back(highest);
  }
  std::sort(maxima.begin(), maxima.end());
  return {maxima[draws / 2], maxima[draws / 40 - 1], maxima[draws - draws / 40]};
}

TEST(Coverage, OfTheMaximumHoldsForEqualAttackersAndForOneThatStandsOut) {
  std::mt19937_64 random(7);
  for (const double rate : {0.005, 0.05, 0.4})
    for (const double others : {1.0, 0.5}) {
      constexpr int attackers = 8;
      std::vector<People> worlds;
      worlds.reserve(attackers);
      for (int a = 0; a < attackers; ++a)
        worlds.emplace_back(a == 0 ? rate : others * rate, 0.3, 120, static_cast<std::uint64_t>(100 + a));
      int held = 0, held_by_bootstrap = 0;
      const auto holds = [&](const Figure& figure) { return figure.low <= rate && rate <= figure.high; };
      for (int set = 0; set < sets(); ++set) {
        std::vector<Measurement> found;
        found.reserve(attackers);
        for (People& world : worlds) found.push_back(world.audit(16));
        held += holds(interval_of_maximum(found));
        held_by_bootstrap += holds(bootstrap_of_maximum(found, random));
      }
      const double all = sets();
      fmt::print("maximum of {} attackers, {} and {}: {:.4f}; percentile bootstrap {:.4f}\n", attackers, rate,
                 others * rate, held / all, held_by_bootstrap / all);
      EXPECT_GE(held / all, 0.94 - allowance(0.94));
      if (others == 1) {
        EXPECT_LT(held_by_bootstrap / all, 0.5) << "it would do: why not use it?";
      }
    }
}

}  // namespace
}  // namespace facemae
