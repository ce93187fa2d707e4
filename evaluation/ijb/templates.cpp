#include "evaluation/ijb/templates.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <tuple>

#include "core/error.h"
#include "core/log.h"
#include "core/parallel.h"

namespace facemae {
namespace {

double norm_of(std::span<const double> vector) {
  return std::sqrt(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0));
}

/// What a face's embedding is multiplied by.
double weight_of(std::span<const float> embedding, float score, const IjbVariant& variant) {
  double weight = variant.use_scores ? static_cast<double>(score) : 1;
  if (variant.normalise_faces) {
    const std::vector<double> values(embedding.begin(), embedding.end());
    if (const double norm = norm_of(values); norm > 0) weight /= norm;
  }
  return weight;
}

}  // namespace

TemplateVectors pool_templates(const IjbFaces& faces, std::span<const float> embeddings, std::size_t width,
                               const IjbVariant& variant) {
  if (embeddings.size() != faces.size() * width)
    throw DataError(fmt::format("pooling templates: {} values of embeddings are not those of {} faces",
                                embeddings.size(), faces.size()));
  std::vector<std::size_t> order(faces.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto place = [&](std::size_t i) { return std::tuple(faces.templates[i], faces.media[i], i); };
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return place(a) < place(b); });

  TemplateVectors result{width, std::vector<float>(faces.template_ids.size() * width)};
  std::vector<double> of_template(width), of_media(width);
  for (std::size_t begin = 0; begin < order.size();) {
    const std::uint32_t now = faces.templates[order[begin]];
    std::fill(of_template.begin(), of_template.end(), 0.0);
    while (begin < order.size() && faces.templates[order[begin]] == now) {
      const std::int64_t media = faces.media[order[begin]];
      std::fill(of_media.begin(), of_media.end(), 0.0);
      std::size_t count = 0;
      for (;
           begin < order.size() && faces.templates[order[begin]] == now && faces.media[order[begin]] == media;
           ++begin, ++count) {
        const auto embedding = embeddings.subspan(order[begin] * width, width);
        const double weight = weight_of(embedding, faces.scores[order[begin]], variant);
        for (std::size_t i = 0; i < width; ++i) of_media[i] += weight * static_cast<double>(embedding[i]);
      }
      for (std::size_t i = 0; i < width; ++i) of_template[i] += of_media[i] / static_cast<double>(count);
    }
    const double norm = norm_of(of_template);
    for (std::size_t i = 0; i < width; ++i)
      result.values[now * width + i] = norm > 0 ? static_cast<float>(of_template[i] / norm) : 0;
  }
  return result;
}

float similarity(std::span<const float> a, std::span<const float> b) {
  constexpr std::size_t kLanes = 8;  // so many sums at once need not wait for each other
  std::array<double, kLanes> sums{};
  std::size_t i = 0;
  for (; i + kLanes <= a.size(); i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      sums[lane] += static_cast<double>(a[i + lane]) * static_cast<double>(b[i + lane]);
  for (; i < a.size(); ++i) sums[0] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return static_cast<float>(std::accumulate(sums.begin(), sums.end(), 0.0));
}

PairScores<float> score_pairs(const TemplateVectors& templates, const IjbPairs& pairs, int threads) {
  std::vector<float> scores(pairs.size());
  in_ranges(static_cast<std::int64_t>(pairs.size()), 1 << 14, threads,
            [&](std::int64_t begin, std::int64_t end) {
              for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
                scores[i] = -similarity(templates[pairs.first[i]], templates[pairs.second[i]]);
            });
  const auto same = static_cast<std::size_t>(std::count(pairs.same.begin(), pairs.same.end(), 1));
  PairScores<float> result;
  result.same.reserve(same);
  result.different.reserve(scores.size() - same);
  for (std::size_t i = 0; i < scores.size(); ++i)
    (pairs.same[i] != 0 ? result.same : result.different).push_back(scores[i]);
  result.sort();
  return result;
}

}  // namespace facemae
