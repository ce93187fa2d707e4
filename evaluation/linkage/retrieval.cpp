#include "evaluation/linkage/retrieval.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <span>
#include <unordered_map>

#include "core/error.h"
#include "core/log.h"
#include "core/parallel.h"

namespace facemae {
namespace {

constexpr float kTie = 1e-6f;

using MatesOf = std::unordered_map<std::int64_t, std::vector<std::int64_t>>;

std::int64_t bin_of(float score) {
  const auto bin = static_cast<std::int64_t>((static_cast<double>(score) + 1) / 2 * kScoreBins);
  return std::clamp<std::int64_t>(bin, 0, kScoreBins - 1);
}

/// `scores` against the whole gallery; `mates` are the scores of the mates, sorted from high to low;
/// `is_other` says which gallery rows compete with them.
template <typename IsOther>
Standing stand(std::span<const float> scores, std::span<const float> mates, IsOther is_other) {
  Standing standing;
  standing.mates = static_cast<std::int64_t>(mates.size());
  if (mates.empty()) return standing;
  // Difference arrays: each competitor beats a suffix of the sorted mates and ties with a range of them.
  std::vector<std::int64_t> beats(mates.size() + 1), ties(mates.size() + 1);
  const float floor = mates.back() - kTie;
  for (std::size_t j = 0; j < scores.size(); ++j) {
    const float score = scores[j];
    if (!is_other(static_cast<std::int64_t>(j))) continue;
    ++standing.others;
    if (score < floor) continue;
    const auto tie_begin =
        std::partition_point(mates.begin(), mates.end(), [&](float mate) { return mate > score + kTie; });
    const auto tie_end =
        std::partition_point(tie_begin, mates.end(), [&](float mate) { return mate >= score - kTie; });
    ++beats[static_cast<std::size_t>(tie_end - mates.begin())];
    ++ties[static_cast<std::size_t>(tie_begin - mates.begin())];
    --ties[static_cast<std::size_t>(tie_end - mates.begin())];
  }
  standing.tied_mates =
      std::count_if(mates.begin(), mates.end(), [&](float m) { return m >= mates.front() - kTie; });
  std::int64_t better = 0, tied = 0;
  for (std::size_t i = 0; i < mates.size(); ++i) {
    better += beats[i];
    tied += ties[i];
    if (i == 0) standing.better = better, standing.tied_others = tied;
    const auto found = static_cast<double>(i + 1);
    standing.average_precision +=
        found / (found + static_cast<double>(better) + static_cast<double>(tied) / 2);
  }
  standing.average_precision /= static_cast<double>(mates.size());
  return standing;
}

void check(const LinkageInput& input) {
  const auto probes = static_cast<std::int64_t>(input.mate.size());
  const auto gallery = static_cast<std::int64_t>(input.gallery_identity.size());
  const auto rows = [](const torch::Tensor& t) { return t.defined() && t.dim() == 2 ? t.size(0) : -1; };
  const bool pictures_fit =
      input.gallery_picture.empty() || input.gallery_picture.size() == input.gallery_identity.size();
  if (!pictures_fit || rows(input.probes) != probes || rows(input.gallery) != gallery || probes == 0 ||
      input.probe_identity.size() != input.mate.size() || input.probes.size(1) != input.gallery.size(1)) {
    throw ConfigError(fmt::format(
        "linkage needs as many probe rows ({}) as mates ({}) and probe identities ({}), as many gallery rows ({}) as gallery identities ({}), at least one probe, and features of one width",
        rows(input.probes), probes, input.probe_identity.size(), rows(input.gallery), gallery));
  }
  for (std::size_t i = 0; i < input.mate.size(); ++i) {
    const std::int64_t mate = input.mate[i];
    if (mate < 0 || mate >= gallery) {
      throw DataError(fmt::format(
          "probe {}: its original is image {}, but the gallery holds {} images: is this the link file of this release?",
          i, mate, gallery));
    }
    if (input.gallery_identity[static_cast<std::size_t>(mate)] != input.probe_identity[i]) {
      throw DataError(fmt::format(
          "probe {} is of person {}, its original (image {}) of person {}: link and labels are not of one release",
          i, input.probe_identity[i], mate, input.gallery_identity[static_cast<std::size_t>(mate)]));
    }
  }
}

std::int64_t picture_of(const LinkageInput& input, std::int64_t image) {
  return input.gallery_picture.empty() ? image : input.gallery_picture[static_cast<std::size_t>(image)];
}

/// Ranks one probe from its row of scores.
void rank_one(const LinkageInput& input, std::size_t probe, std::span<const float> scores,
              const std::vector<std::int64_t>& images_of_person, Rankings& out, ScoreCounts& others) {
  const std::int64_t own = picture_of(input, input.mate[probe]), person = input.probe_identity[probe];
  const auto is_own = [&](std::int64_t j) { return picture_of(input, j) == own; };
  std::vector<float> own_scores;
  for (std::size_t j = 0; j < scores.size(); ++j)
    if (is_own(static_cast<std::int64_t>(j))) own_scores.push_back(scores[j]);
  std::sort(own_scores.begin(), own_scores.end(), std::greater<>());
  out.same_image[probe] = stand(scores, own_scores, [&](std::int64_t j) { return !is_own(j); });

  const std::span<float> mates(out.mated_scores.data() + out.mated_start[probe],
                               static_cast<std::size_t>(out.mated_start[probe + 1] - out.mated_start[probe]));
  std::size_t next = 0;
  for (const std::int64_t j : images_of_person) {
    if (!is_own(j)) mates[next++] = scores[static_cast<std::size_t>(j)];
  }
  std::sort(mates.begin(), mates.end(), std::greater<>());
  const auto is_stranger = [&](std::int64_t j) {
    return input.gallery_identity[static_cast<std::size_t>(j)] != person && !is_own(j);
  };
  out.same_identity[probe] = stand(scores, mates, is_stranger);
  for (std::size_t j = 0; j < scores.size(); ++j) {
    if (is_stranger(static_cast<std::int64_t>(j))) ++others[static_cast<std::size_t>(bin_of(scores[j]))];
  }
}

}  // namespace

double Standing::rank() const {
  const auto tied = static_cast<double>(tied_others + tied_mates + 1);
  return static_cast<double>(better) + tied / static_cast<double>(tied_mates + 1);
}

double Standing::hit_at(int places) const {
  const std::int64_t free_places = places - better;
  if (mates == 0 || free_places <= 0) return 0;
  double miss = 1;  // all free places go to tied others
  for (std::int64_t i = 0; i < free_places && miss > 0; ++i) {
    miss *= static_cast<double>(std::max<std::int64_t>(tied_others - i, 0)) /
            static_cast<double>(std::max<std::int64_t>(tied_others + tied_mates - i, 1));
  }
  return 1 - miss;
}

double score_edge(std::int64_t bin) { return static_cast<double>(bin) / kScoreBins * 2 - 1; }

Rankings rank_mates(const LinkageInput& input, std::int64_t block_bytes) {
  check(input);
  const torch::NoGradGuard no_gradients;
  const auto count = static_cast<std::int64_t>(input.mate.size());
  const std::int64_t gallery_size = input.gallery.size(0);
  const auto sized = static_cast<std::size_t>(count);

  MatesOf images_of;
  for (std::size_t j = 0; j < input.gallery_identity.size(); ++j) {
    images_of[input.gallery_identity[j]].push_back(static_cast<std::int64_t>(j));
  }
  Rankings out;
  out.same_image.resize(sized);
  out.same_identity.resize(sized);
  out.own.assign(kScoreBins, 0);
  out.mated.assign(kScoreBins, 0);
  out.others.assign(kScoreBins, 0);
  out.mated_start.assign(sized + 1, 0);
  for (std::size_t i = 0; i < sized; ++i) {
    const std::int64_t own = picture_of(input, input.mate[i]);
    const auto& images = images_of.at(input.probe_identity[i]);
    out.mated_start[i + 1] =
        out.mated_start[i] + std::count_if(images.begin(), images.end(), [&](std::int64_t image) {
          return picture_of(input, image) != own;
        });
  }
  out.mated_scores.resize(static_cast<std::size_t>(out.mated_start.back()));

  const torch::Tensor gallery = input.gallery.to(torch::kFloat32).t();
  const std::int64_t block =
      std::clamp<std::int64_t>(block_bytes / (4 * std::max<std::int64_t>(gallery_size, 1)), 1, count);
  std::mutex merging;
  for (std::int64_t begin = 0; begin < count; begin += block) {
    const std::int64_t rows = std::min(block, count - begin);
    const torch::Tensor product =
        torch::matmul(input.probes.narrow(0, begin, rows).to(torch::kFloat32), gallery).cpu().contiguous();
    const float* scores = product.const_data_ptr<float>();
    in_ranges(rows, 1, torch::get_num_threads(), [&](std::int64_t first, std::int64_t last) {
      ScoreCounts others(kScoreBins);
      for (std::int64_t i = first; i < last; ++i) {
        const auto probe = static_cast<std::size_t>(begin + i);
        const std::span<const float> row(scores + i * gallery_size, static_cast<std::size_t>(gallery_size));
        rank_one(input, probe, row, images_of.at(input.probe_identity[probe]), out, others);
      }
      const std::lock_guard lock(merging);
      for (std::size_t b = 0; b < others.size(); ++b) out.others[b] += others[b];
      for (std::int64_t i = first; i < last; ++i) {
        const auto own =
            static_cast<std::size_t>(i * gallery_size + input.mate[static_cast<std::size_t>(begin + i)]);
        ++out.own[static_cast<std::size_t>(bin_of(scores[own]))];
      }
    });
  }
  for (const float score : out.mated_scores) ++out.mated[static_cast<std::size_t>(bin_of(score))];
  return out;
}

}  // namespace facemae
