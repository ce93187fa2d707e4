// 1:N among templates: search_templates() of templates.h.
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <mutex>

#include "core/parallel.h"
#include "evaluation/ijb/templates.h"

namespace facemae {
namespace {

constexpr std::array kRanks = {1, 5, 10};
constexpr std::array kFpirs = {0.01, 0.1};

/// The largest of many scores.
class Largest {
 public:
  explicit Largest(std::size_t count) : count_(count) { held_.reserve(2 * count); }
  void add(float score) {
    held_.push_back(score);
    if (held_.size() == 2 * count_) cut();
  }
  void add(const Largest& other) {
    for (const float score : other.held_) add(score);
  }
  /// Descending.
  std::vector<float> sorted() && {
    cut();
    std::sort(held_.begin(), held_.end(), std::greater<>());
    return std::move(held_);
  }

 private:
  void cut() {
    if (held_.size() <= count_) return;
    std::nth_element(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(count_), held_.end(),
                     std::greater<>());
    held_.resize(count_);
  }
  std::size_t count_;
  std::vector<float> held_;
};

std::size_t share_of(std::size_t probes, double rate) {
  return static_cast<std::size_t>(std::ceil(static_cast<double>(probes) * rate));
}

}  // namespace

IjbSearchFigures search_templates(const TemplateVectors& templates, const IjbSearch& search, int threads) {
  const std::size_t probes = search.probes.size();
  std::vector<float> mate_scores(probes);
  std::vector<std::size_t> rivals(probes);  // others in the gallery that score as high as the mate
  Largest others(share_of(probes, kFpirs.back()));
  std::mutex adding;
  in_ranges(static_cast<std::int64_t>(probes), 16, threads, [&](std::int64_t begin, std::int64_t end) {
    Largest own(share_of(probes, kFpirs.back()));
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      const auto probe = templates[search.probes[i]];
      mate_scores[i] = similarity(probe, templates[search.gallery[search.mates[i]]]);
      for (std::size_t j = 0; j < search.gallery.size(); ++j) {
        if (j == search.mates[i]) continue;
        const float score = similarity(probe, templates[search.gallery[j]]);
        rivals[i] += score >= mate_scores[i] ? 1 : 0;
        own.add(score);
      }
    }
    const std::lock_guard lock(adding);
    others.add(own);
  });
  const auto share = [&](auto count) { return static_cast<double>(count) / static_cast<double>(probes); };
  IjbSearchFigures figures{.probes = probes, .gallery = search.gallery.size(), .ranks = {}, .rates = {}};
  for (const int rank : kRanks)
    figures.ranks.push_back({rank, share(std::count_if(rivals.begin(), rivals.end(), [&](std::size_t better) {
                               return better < static_cast<std::size_t>(rank);
                             }))});
  const std::vector<float> largest = std::move(others).sorted();
  for (const double fpir : kFpirs) {
    const std::size_t place = share_of(probes, fpir);
    if (place > largest.size()) continue;  // a gallery of one
    const float threshold = largest[place - 1];
    figures.rates.push_back({fpir,
                             share(std::count_if(mate_scores.begin(), mate_scores.end(),
                                                 [&](float score) { return score > threshold; })),
                             static_cast<double>(threshold)});
  }
  return figures;
}

}  // namespace facemae
