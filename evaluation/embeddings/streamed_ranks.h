#pragma once
// Exact nearest-neighbour ranks among galleries of any size: the gallery streams by in blocks, no score is kept.
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "evaluation/embeddings/embedding_rows.h"
#include "evaluation/linkage/retrieval.h"

namespace facemae {

/// Rows of the gallery, each list ascending and the two disjoint.
struct ProbeMates {
  std::vector<std::int64_t> mates;     ///< any of them is a hit
  std::vector<std::int64_t> left_out;  ///< as if they were not there
};

/// Probes are ranked in whole blocks of so many, so that the last bit of a product does not depend on how they
/// are shared out.
inline constexpr std::int64_t kProbeBlock = 256;
inline constexpr std::int64_t kGalleryBlock = 8192;

/// The part of `count` probes that a rank takes: whole blocks.
std::int64_t first_probe_of(int rank, int ranks, std::int64_t count);

/// probes [P, D] of norm 1; each of the questions has one ProbeMates per probe. Answers each question: [P]
/// standings, without average precision. Ties are those of rank_mates(). `see` is told how many rows of the gallery went by.
/// Beside probes and questions, memory is kGalleryBlock x (kProbeBlock + D) floats, whatever the gallery.
std::vector<std::vector<Standing>> stream_ranks(const torch::Tensor& probes, const EmbeddingRows& gallery,
                                                std::span<const std::vector<ProbeMates>> questions,
                                                const std::function<void(std::int64_t)>& see = {});

}  // namespace facemae
