#include "evaluation/campaign/metadata.h"

#include <torch/torch.h>

#include <algorithm>
#include <boost/math/special_functions/gamma.hpp>
#include <numeric>

#include "core/error.h"
#include "core/log.h"
#include "evaluation/statistics/intervals.h"

namespace facemae {
namespace {

constexpr std::uint8_t kJpegStart = 0xD8, kJpegScan = 0xDA;

std::uint16_t big_endian(Bytes image, std::size_t at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(image[at]) << 8 |
                                    std::to_integer<unsigned>(image[at + 1]));
}

torch::Tensor column(const std::vector<std::uint64_t>& values) {
  auto all = torch::empty({static_cast<std::int64_t>(values.size())});
  for (std::size_t i = 0; i < values.size(); ++i) all.data_ptr<float>()[i] = static_cast<float>(values[i]);
  return all;
}

/// Minus the difference of each of `from` to each of `to`.
torch::Tensor closeness(const torch::Tensor& from, const torch::Tensor& to) {
  return -(from.unsqueeze(1) - to.unsqueeze(0)).abs();
}

/// 1 where the values are the same.
template <class T>
torch::Tensor sameness(const std::vector<T>& from, const std::vector<T>& to) {
  auto same = torch::zeros({static_cast<std::int64_t>(from.size()), static_cast<std::int64_t>(to.size())});
  for (std::size_t i = 0; i < from.size(); ++i)
    for (std::size_t j = 0; j < to.size(); ++j)
      if (from[i] == to[j] && from[i] != T{}) same.data_ptr<float>()[i * to.size() + j] = 1;
  return same;
}

/// Places 0 to 1, in order.
torch::Tensor places(std::size_t count) {
  return torch::arange(static_cast<std::int64_t>(count), torch::kFloat32) / static_cast<double>(count);
}
/// The share of smaller values: equal ones have equal ranks.
torch::Tensor ranks(const std::vector<std::uint64_t>& values) {
  const auto all = column(values);
  return torch::searchsorted(std::get<0>(all.sort()), all).to(torch::kFloat32) /
         static_cast<double>(values.size());
}

/// How rarely a cue that tells nothing may seem to. Seven cues, and every release: one in twenty would not do.
constexpr double kLuck = 1e-4;

/// More hits than luck gives: of a matching, whose right places by luck are as good as Poisson's, and of the people,
/// whose pictures may be right together.
bool beats_luck(const Measurement& row) {
  double hits = 0, trials = 0;
  for (const Tally& tally : row.tallies) {
    hits += tally.hits;
    trials += tally.trials;
  }
  return hits > 0 && boost::math::gamma_p(hits, row.chance * trials) < kLuck &&
         lower_limit(row, kLuck) > row.chance;
}

}  // namespace

std::uint64_t header_digest(Bytes image) {
  const auto byte = [&](std::size_t at) { return std::to_integer<std::uint8_t>(image[at]); };
  if (image.size() > 4 && byte(0) == 0xFF && byte(1) == kJpegStart) {
    std::size_t at = 2;
    while (at + 4 <= image.size() && byte(at) == 0xFF && byte(at + 1) != kJpegScan)
      at += 2 + big_endian(image, at + 2);
    return xxh64(image.subspan(0, std::min(at, image.size())));
  }
  if (image.size() > 16 && byte(1) == 'P' && byte(2) == 'N' && byte(3) == 'G') {
    std::size_t at = 8;
    while (at + 8 <= image.size() && !(byte(at + 4) == 'I' && byte(at + 5) == 'D' && byte(at + 6) == 'A'))
      at += 12 + (std::size_t{big_endian(image, at)} << 16 | big_endian(image, at + 2));
    return xxh64(image.subspan(0, std::min(at, image.size())));
  }
  return 0;
}

MetadataFindings metadata_attack(const FileFacts& released, const FileFacts& real, const Target& target) {
  check_target(target);
  const auto pictures = target.released.classes.size(), photos = target.real.people.size();
  const auto classes = static_cast<std::size_t>(target.released.class_count);
  const auto people = static_cast<std::size_t>(target.real.people_count);
  if (released.bytes.size() != pictures || released.header.size() != pictures ||
      released.names.size() != classes || real.bytes.size() != photos || real.header.size() != photos ||
      real.names.size() != people)
    throw ConfigError(
        fmt::format("metadata of {} released and {} real images do not fit {} pictures and {} photos",
                    released.bytes.size(), real.bytes.size(), pictures, photos));
  std::vector<std::uint64_t> pictures_of(classes), photos_of(people);
  for (const std::int64_t c : target.released.classes) ++pictures_of[static_cast<std::size_t>(c)];
  for (const std::int64_t p : target.real.people) ++photos_of[static_cast<std::size_t>(p)];

  std::vector<std::int64_t> everybody(people), owner;
  std::iota(everybody.begin(), everybody.end(), 0);
  const auto classes_of = classes_of_people(target);
  for (const auto& list : target.links.photos_of_picture)
    owner.push_back(list.empty() ? 0 : target.real.people[static_cast<std::size_t>(list.front())]);
  const auto of_people = [&](const char* cue, torch::Tensor scores) {
    return Search{Level::PersonToClass, cue, std::move(scores), classes_of, everybody};
  };
  const auto of_pictures = [&](const char* cue, torch::Tensor scores) {
    return Search{Level::OwnPicture, cue, std::move(scores), target.links.photos_of_picture, owner};
  };
  const std::vector<Search> searches{
      of_people("number of images", closeness(column(photos_of), column(pictures_of))),
      of_people("order of labels", closeness(places(people), places(classes))),
      of_people("names", sameness(real.names, released.names)),
      of_pictures("size of the file", sameness(released.bytes, real.bytes)),
      of_pictures("rank of the size", closeness(ranks(released.bytes), ranks(real.bytes))),
      of_pictures("tables and headers", sameness(released.header, real.header)),
      of_pictures("order of images", closeness(places(pictures), places(photos))),
  };
  const AttackerFacts facts{.id = "A14",
                            .name = "metadata",
                            .knows = "The files of both stores.",
                            .controls = "None: each cue stands for itself.",
                            .cost = "Reads every image once."};
  MetadataFindings findings;
  for (const Search& search : searches) {
    Tallies tallies;
    tallies.add(facts, search, target, "");
    const auto rows = tallies.measurements();
    MetadataFindings::Cue cue{search.way};
    for (const Measurement& row : rows) {
      if (!beats_luck(row)) continue;
      for (std::size_t i = 0; i < search.right.size(); ++i)
        cue.exact_links +=
            standing_of(search.scores[static_cast<std::int64_t>(i)], search.right[i]).hit_at(1) == 1;
    }
    findings.measurements.insert(findings.measurements.end(), rows.begin(), rows.end());
    findings.cues.push_back(std::move(cue));
  }
  return findings;
}

}  // namespace facemae
