#include "evaluation/attacks/intersection.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <optional>

#include "core/error.h"
#include "core/log.h"
#include "evaluation/linkage/retrieval.h"
#include "evaluation/statistics/intervals.h"

namespace facemae {
namespace {

using PersonSet = std::vector<std::int64_t>;  ///< ascending

torch::Tensor places_in(std::span<const std::int64_t> numbers) {
  return torch::tensor(at::ArrayRef<std::int64_t>(numbers.data(), numbers.size()), torch::kInt64);
}

torch::Tensor normalised_rows(const torch::Tensor& rows) {
  return rows / rows.norm(2, 1, true).clamp_min(1e-6);
}

/// Means of the rows of each group, centred on the mean of all rows and normalised.
torch::Tensor group_means(const torch::Tensor& rows, std::span<const std::int64_t> group,
                          std::int64_t groups) {
  const auto centred = rows - rows.mean(0, true);
  return normalised_rows(torch::zeros({groups, rows.size(1)}).index_add_(0, places_in(group), centred));
}

/// Each row to mean 0 and deviation 1, so that every release counts alike.
torch::Tensor standardised(const torch::Tensor& scores) {
  const auto centred = scores - scores.mean(1, true);
  return centred / centred.pow(2).mean(1, true).sqrt().clamp_min(1e-6);
}

/// How likely one of `right` is the first when ties are broken by chance.
double first_hit(const torch::Tensor& scores, const PersonSet& right) {
  const auto best = scores >= scores.max() - 1e-6;
  double among = 0;
  for (const auto place : right) among += best[place].item<bool>() ? 1 : 0;
  return among / best.sum().item<double>();
}

std::vector<PersonSet> in_order(std::vector<PersonSet> sets) {
  for (auto& set : sets) std::sort(set.begin(), set.end());
  return sets;
}

/// For each of `sets` the place of the equal one in `others`; nothing when one has none.
std::optional<PersonSet> same_sets(const std::vector<PersonSet>& sets, const std::vector<PersonSet>& others) {
  std::map<PersonSet, std::int64_t> place;
  for (std::size_t i = 0; i < others.size(); ++i) place.try_emplace(others[i], static_cast<std::int64_t>(i));
  PersonSet places;
  for (const auto& set : sets) {
    const auto found = place.find(set);
    if (found == place.end()) return {};
    places.push_back(found->second);
  }
  return places;
}

class ReleaseSeries {
 public:
  ReleaseSeries(std::span<const SeenRelease> releases, std::span<const std::int64_t> people_of_photo,
                std::int64_t people, std::string attacker)
      : releases_(releases),
        people_of_photo_(people_of_photo),
        people_(people),
        attacker_(std::move(attacker)) {
    check();
    for (const auto& release : releases_) {
      scores_.push_back(class_scores(release, people_of_photo_, people_));
      groups_.push_back(in_order(release.links.people_of_class));
      photos_.push_back(in_order(release.links.photos_of_picture));
    }
  }

  std::vector<Measurement> first(std::size_t count) const {
    std::vector<Measurement> all;
    const auto keep = [&](Measurement measurement) {
      if (measurement.tallies.empty()) return;
      measurement.attack = "A8";
      measurement.attacker = fmt::format("{}, {} release{}", attacker_, count, count == 1 ? "" : "s");
      measurement.found = interval_by_person(measurement.tallies);
      all.push_back(std::move(measurement));
    };
    if (const auto tied = tied_to_first(photos_, count)) {
      keep(own_pictures(*tied));
      keep(pictures_to_people(*tied));
    }
    if (const auto tied = tied_to_first(groups_, count)) keep(people_to_classes(*tied));
    keep(people_of_classes(count));
    return all;
  }

 private:
  using Tied = std::vector<PersonSet>;  ///< for each release the places of what the first one has

  void check() const {
    if (releases_.empty()) throw ConfigError("comparing several releases of the same people: there is none");
    for (std::size_t r = 0; r < releases_.size(); ++r) {
      const auto& [classes, links, evidence] = releases_[r];
      const auto& rows = evidence.by_person.defined() ? evidence.by_person : evidence.released;
      if (rows.size(0) != std::ssize(classes) || links.photos_of_picture.size() != classes.size())
        throw ConfigError(fmt::format(
            "comparing several releases: release {} has {} pictures, evidence for {} and links for {}", r + 1,
            classes.size(), rows.size(0), links.photos_of_picture.size()));
    }
  }

  static std::optional<Tied> tied_to_first(const std::vector<std::vector<PersonSet>>& sets,
                                           std::size_t count) {
    Tied tied;
    for (std::size_t r = 0; r < count; ++r) {
      auto places = same_sets(sets[0], sets[r]);
      if (!places) return {};
      tied.push_back(std::move(*places));
    }
    return tied;
  }

  /// Means over the releases of what they say of the pictures of the first.
  template <class Rows>
  torch::Tensor averaged(const Tied& tied, Rows rows_of) const {
    torch::Tensor sum;
    for (std::size_t r = 0; r < tied.size(); ++r) {
      const auto rows = rows_of(releases_[r].evidence).index_select(0, places_in(tied[r]));
      sum = sum.defined() ? sum + rows : rows;
    }
    return sum / static_cast<double>(tied.size());
  }

  std::int64_t person_of(const PersonSet& photos) const {
    return people_of_photo_[static_cast<std::size_t>(photos.front())];
  }

  /// Of pictures that were made of one photo.
  Measurement own_pictures(const Tied& tied) const {
    Measurement found{.level = Level::OwnPicture, .chance = 1 / static_cast<double>(people_of_photo_.size())};
    const bool blended = std::any_of(photos_[0].begin(), photos_[0].end(),
                                     [](const PersonSet& set) { return set.size() != 1; });
    if (blended || releases_[0].evidence.by_person.defined()) return found;
    LinkageInput input{
        .probes = normalised_rows(averaged(tied, [](const Evidence& evidence) { return evidence.released; })),
        .gallery = releases_[0].evidence.real,
        .gallery_identity = PersonSet(people_of_photo_.begin(), people_of_photo_.end())};
    for (const auto& photos : photos_[0]) {
      input.mate.push_back(photos.front());
      input.probe_identity.push_back(person_of(photos));
    }
    const auto standings = rank_mates(input).same_image;
    for (std::size_t i = 0; i < standings.size(); ++i)
      found.tallies.push_back({input.probe_identity[i], standings[i].hit_at(1), 1});
    return found;
  }

  Measurement pictures_to_people(const Tied& tied) const {
    Measurement found{.level = Level::PictureToPerson};
    const bool by_person = releases_[0].evidence.by_person.defined();
    const auto rows = averaged(
        tied, [&](const Evidence& evidence) { return by_person ? evidence.by_person : evidence.released; });
    for (std::size_t i = 0; i < photos_[0].size(); ++i) {
      const auto row = rows[static_cast<std::int64_t>(i)];
      PersonSet contributors;
      for (const auto photo : photos_[0][i])
        contributors.push_back(people_of_photo_[static_cast<std::size_t>(photo)]);
      std::sort(contributors.begin(), contributors.end());
      contributors.erase(std::unique(contributors.begin(), contributors.end()), contributors.end());
      PersonSet right = contributors;  // places among what is scored: people, or photos
      if (!by_person) {
        right.clear();
        for (std::size_t photo = 0; photo < people_of_photo_.size(); ++photo)
          if (std::binary_search(contributors.begin(), contributors.end(), people_of_photo_[photo]))
            right.push_back(static_cast<std::int64_t>(photo));
      }
      const auto scores = by_person ? row : releases_[0].evidence.real.mv(row);
      found.tallies.push_back({contributors.front(), first_hit(scores, right), 1});
      found.chance += static_cast<double>(contributors.size()) / static_cast<double>(people_) /
                      static_cast<double>(photos_[0].size());
      found.people_per_class = std::max(found.people_per_class, std::ssize(contributors));
    }
    return found;
  }

  Measurement people_to_classes(const Tied& tied) const {
    Measurement found{.level = Level::PersonToClass, .chance = 1 / static_cast<double>(groups_[0].size())};
    torch::Tensor sum;
    for (std::size_t r = 0; r < tied.size(); ++r) {
      const auto scores = standardised(scores_[r].index_select(0, places_in(tied[r])).t());
      sum = sum.defined() ? sum + scores : scores;
    }
    for (std::size_t c = 0; c < groups_[0].size(); ++c) {
      found.people_per_class = std::max(found.people_per_class, std::ssize(groups_[0][c]));
      for (const auto person : groups_[0][c])
        found.tallies.push_back(
            {person, first_hit(sum[person], {static_cast<std::int64_t>(c)}), 1, groups_[0][c].front()});
    }
    return found;
  }

  /// For everybody who is in all of the first `count` releases.
  Measurement people_of_classes(std::size_t count) const {
    Measurement found{.level = Level::ClassToPerson, .chance = 1 / static_cast<double>(people_)};
    std::vector<std::map<std::int64_t, std::int64_t>> class_of(count);
    for (std::size_t r = 0; r < count; ++r)
      for (std::size_t c = 0; c < groups_[r].size(); ++c)
        for (const auto person : groups_[r][c]) class_of[r].try_emplace(person, static_cast<std::int64_t>(c));
    std::vector<torch::Tensor> evidence;
    for (std::size_t r = 0; r < count; ++r) evidence.push_back(standardised(scores_[r]));
    for (const auto& [person, first] : class_of[0]) {
      torch::Tensor sum = evidence[0][first].clone();
      bool everywhere = true;
      for (std::size_t r = 1; r < count && everywhere; ++r) {
        const auto at = class_of[r].find(person);
        everywhere = at != class_of[r].end();
        if (everywhere) sum += evidence[r][at->second];
      }
      if (everywhere)
        found.tallies.push_back(
            {person, first_hit(sum, {person}), 1, groups_[0][static_cast<std::size_t>(first)].front()});
    }
    return found;
  }

  std::span<const SeenRelease> releases_;
  std::span<const std::int64_t> people_of_photo_;
  std::int64_t people_;
  std::string attacker_;
  std::vector<torch::Tensor> scores_;           ///< of each release [classes, people]
  std::vector<std::vector<PersonSet>> groups_;  ///< of each release, by class
  std::vector<std::vector<PersonSet>> photos_;  ///< of each release, by picture
};

}  // namespace

torch::Tensor class_scores(const SeenRelease& release, std::span<const std::int64_t> people_of_photo,
                           std::int64_t people) {
  const auto classes = static_cast<std::int64_t>(release.links.people_of_class.size());
  const Evidence& evidence = release.evidence;
  if (evidence.by_person.defined())
    return torch::zeros({classes, people}).index_add_(0, places_in(release.classes), evidence.by_person);
  return group_means(evidence.released, release.classes, classes)
      .matmul(group_means(evidence.real, people_of_photo, people).t());
}

std::vector<Measurement> measure_releases(std::span<const SeenRelease> releases,
                                          std::span<const std::int64_t> people_of_photo, std::int64_t people,
                                          const std::string& attacker) {
  const torch::NoGradGuard no_gradients;
  const ReleaseSeries all(releases, people_of_photo, people, attacker);
  std::vector<Measurement> found;
  for (std::size_t count = 1;; count = std::min(2 * count, releases.size())) {
    for (auto& measurement : all.first(count)) found.push_back(std::move(measurement));
    if (count == releases.size()) return found;
  }
}

}  // namespace facemae
