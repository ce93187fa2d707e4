#include "evaluation/embeddings/streamed_ranks.h"

#include <torch/torch.h>

#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "core/parallel.h"
#include "evaluation/embeddings/count_scores.h"

namespace facemae {
namespace {

constexpr double kLevel = 1e-6;  ///< as rank_mates(): scores so near are ties

/// What is above and level with a probe's best mate.
struct Band {
  float low = 2, high = 2;
};

/// Finds the best mate of a probe, by scores in double precision.
Band begin_standing(const torch::Tensor& probe, const EmbeddingRows& gallery, const ProbeMates& asked,
                    Standing& standing) {
  standing.mates = static_cast<std::int64_t>(asked.mates.size());
  if (asked.mates.empty()) return {};
  standing.others = gallery.rows() - standing.mates - static_cast<std::int64_t>(asked.left_out.size());
  const auto scores = torch::mv(gallery.pick(asked.mates).to(torch::kFloat64), probe.to(torch::kFloat64));
  const double best = scores.max().item<double>();
  standing.tied_mates = scores.ge(best - kLevel).sum().item<std::int64_t>();
  return {static_cast<float>(best - kLevel), static_cast<float>(best + kLevel)};
}

/// Adds what a block of the gallery holds: `scores` are those of rows first, first + 1, ...
void add_block(std::span<const float> scores, std::int64_t first, const ProbeMates& asked, const Band& band,
               Standing& standing) {
  ScoreBand found = count_scores(scores, band.low, band.high);
  const auto take_away = [&](const std::vector<std::int64_t>& rows) {
    const auto last = first + static_cast<std::int64_t>(scores.size());
    for (auto row = std::lower_bound(rows.begin(), rows.end(), first); row != rows.end() && *row < last;
         ++row) {
      const float score = scores[static_cast<std::size_t>(*row - first)];
      if (score > band.high)
        --found.above;
      else if (score >= band.low)
        --found.within;
    }
  };
  take_away(asked.mates);
  take_away(asked.left_out);
  standing.better += found.above;
  standing.tied_others += found.within;
}

}  // namespace

std::int64_t first_probe_of(int rank, int ranks, std::int64_t count) {
  const std::int64_t blocks = (count + kProbeBlock - 1) / kProbeBlock;
  return std::min(count, rank * blocks / ranks * kProbeBlock);
}

std::vector<std::vector<Standing>> stream_ranks(const torch::Tensor& probes, const EmbeddingRows& gallery,
                                                std::span<const std::vector<ProbeMates>> questions,
                                                const std::function<void(std::int64_t)>& see) {
  const torch::NoGradGuard no_gradients;
  const std::int64_t count = probes.size(0);
  for (const auto& question : questions)
    if (static_cast<std::int64_t>(question.size()) != count || probes.size(1) != gallery.width())
      throw ConfigError(fmt::format(
          "ranking {} probes of width {} in a gallery of width {}: a question has the mates of {} probes",
          count, probes.size(1), gallery.width(), question.size()));
  std::vector<std::vector<Standing>> standings(questions.size(),
                                               std::vector<Standing>(static_cast<std::size_t>(count)));
  std::vector<std::vector<Band>> bands(questions.size(), std::vector<Band>(static_cast<std::size_t>(count)));
  for (std::size_t q = 0; q < questions.size(); ++q)
    in_ranges(count, 64, torch::get_num_threads(), [&](std::int64_t from, std::int64_t to) {
      const torch::NoGradGuard none_here;  // of a thread
      for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(to); ++i)
        bands[q][i] =
            begin_standing(probes[static_cast<std::int64_t>(i)], gallery, questions[q][i], standings[q][i]);
    });

  const torch::Tensor products =
      torch::empty({std::min(kProbeBlock, count) * std::min(kGalleryBlock, gallery.rows())});
  for (std::int64_t first = 0; count > 0 && first < gallery.rows(); first += kGalleryBlock) {
    const std::int64_t width = std::min(kGalleryBlock, gallery.rows() - first);
    const torch::Tensor block = gallery.block(first, width).t();
    for (std::int64_t begin = 0; begin < count; begin += kProbeBlock) {
      const std::int64_t rows = std::min(kProbeBlock, count - begin);
      torch::Tensor product = products.narrow(0, 0, rows * width).view({rows, width});
      torch::mm_out(product, probes.narrow(0, begin, rows), block);
      const float* scores = product.const_data_ptr<float>();
      in_ranges(rows, 16, torch::get_num_threads(), [&](std::int64_t from, std::int64_t to) {
        for (std::int64_t i = from; i < to; ++i)
          for (std::size_t q = 0; q < questions.size(); ++q) {
            const auto probe = static_cast<std::size_t>(begin + i);
            if (standings[q][probe].mates > 0)
              add_block({scores + i * width, static_cast<std::size_t>(width)}, first, questions[q][probe],
                        bands[q][probe], standings[q][probe]);
          }
      });
    }
    if (see) see(width);
  }
  return standings;
}

}  // namespace facemae
