#pragma once
// A report with something in every section, for the tests that read and render it.
#include <cmath>

#include "evaluation/report/report.h"

namespace facemae {

inline std::vector<double> bell(double centre, double width) {
  std::vector<double> bins(64);
  double sum = 0;
  for (std::size_t b = 0; b < bins.size(); ++b) {
    const double z = (-1 + (static_cast<double>(b) + 0.5) / 32 - centre) / width;
    sum += bins[b] = std::exp(-z * z / 2);
  }
  for (double& bin : bins) bin /= sum;
  return bins;
}

inline Retrieval retrieval(double rank1, double chance) {
  Retrieval found;
  found.rank1 = {rank1, rank1 * 0.9, std::min(1.0, rank1 * 1.08 + 0.002)};
  found.rank5 = {std::min(1.0, rank1 * 1.2), rank1, 1};
  found.rank10 = {std::min(1.0, rank1 * 1.3), rank1, 1};
  found.median_rank = rank1 > 0.5 ? 1 : 817.5;
  found.mean_average_precision = std::min(1.0, rank1 * 1.05);
  found.chance_rank1 = chance;
  found.probes = 2000;
  return found;
}

inline AttackReport sample_attack(const std::string& name, double own, double person, double distance) {
  AttackReport attack;
  for (LinkageResult* result : {&attack.released, &attack.ceiling}) {
    const bool released = result == &attack.released;
    result->attacker = name;
    result->knowledge = "The real pictures. No network: nearest neighbour on small pictures.";
    result->same_image = retrieval(released ? own : 0.999, 1.0 / 2339);
    result->same_identity = retrieval(released ? person : 0.62, 0.0101);
    result->verification = {{1e-2, {released ? 0.031 : 0.74, 0.02, 0.8}, 0.41},
                            {1e-3, {0.004, 0.001, 0.01}, 0.63}};
    result->own_histogram = bell(0.1 + distance, 0.08);
    result->mated_histogram = bell(0.1 + distance / 3, 0.13);
    result->other_histogram = bell(0.05, 0.15);
  }
  return attack;
}

inline Report sample_report() {
  Report report;
  report.title = "Audit of a release & its \"labels\" <test>";
  report.warning = "No formal privacy guarantee: treat the released pictures as personal data.";
  report.facts = {{"released pictures", "2,339"},
                  {"people", "101"},
                  {"mask ratio", "0.75"},
                  {"seed", "7"},
                  {"model", "tiny, patch 16, <script>alert(1)</script>"}};
  report.attacks = {sample_attack("pixel 28x28", 0.7181, 0.1042, 0.6),
                    sample_attack("pixel 14x14", 0.3377, 0.0811, 0.4),
                    sample_attack("embedder ours", 0.0004, 0.0213, 0.02)};
  report.attacks.push_back(sample_attack("pixel 28x28", 0.998, 0.12, 0.8));
  report.attacks.back().control = "mosaic 8";
  report.tables.push_back({"Verification on real pairs",
                           "Mean of three seeds.",
                           {"trained on", "accuracy", "std"},
                           {{"real", "74.4 %", "1.6"}, {"a < b", "60.4 %", "1.2"}}});
  for (int p = 0; p < 6; ++p) {
    Image image{48, 48, std::vector<std::uint8_t>(48 * 48 * 3)};
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      image.pixels[i] =
          static_cast<std::uint8_t>((i * static_cast<std::size_t>(p + 1) / 48 + i % 3 * 70) % 256);
    }
    report.pictures.push_back({"picture " + std::to_string(p + 1), image});
  }
  return report;
}

}  // namespace facemae
