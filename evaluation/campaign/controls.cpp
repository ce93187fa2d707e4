#include "evaluation/campaign/controls.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/random/keys.h"

namespace facemae {
namespace {

constexpr std::uint64_t kShuffles = 20, kShuffleStage = 4, kStrangerStage = 5;

/// Each person's truth becomes that of another: a permutation of those who have one. Strangers, who are nobody's truth,
/// leave the gallery.
Search with_shuffled_truth(Search search, const Target& target, std::uint64_t key) {
  if (search.level == Level::PictureToPerson) search.scores = search.scores.narrow(1, 0, target.members);
  std::map<std::int64_t, std::vector<std::int64_t>> truth;
  for (std::size_t i = 0; i < search.right.size(); ++i)
    if (!search.right[i].empty()) truth.try_emplace(search.person[i], search.right[i]);
  std::vector<std::int64_t> people;
  for (const auto& [person, right] : truth) people.push_back(person);
  auto others = people;
  Draws draws(key);
  for (std::size_t i = others.size(); i > 1; --i) std::swap(others[i - 1], others[draws.below(i)]);
  std::map<std::int64_t, std::int64_t> instead;
  for (std::size_t i = 0; i < people.size(); ++i) instead[people[i]] = others[i];
  for (std::size_t i = 0; i < search.right.size(); ++i)
    if (!search.right[i].empty()) search.right[i] = truth.at(instead.at(search.person[i]));
  return search;
}

Search of_strangers(Search search, const Target& target, std::uint64_t key) {
  Draws draws(key);
  for (std::size_t p = 0; p < search.right.size(); ++p) {
    search.right[p].clear();
    if (static_cast<std::int64_t>(p) >= target.members)
      search.right[p] = {
          static_cast<std::int64_t>(draws.below(static_cast<std::uint64_t>(target.released.class_count)))};
  }
  return search;
}

bool finds_people(Level level) { return level == Level::PictureToPerson || level == Level::PersonToClass; }

}  // namespace

void count_controls(Attacker& attacker, const Target& target, const std::vector<Search>& searches,
                    std::int64_t planted_classes, std::uint64_t seed, Tallies& tallies,
                    const std::function<void(const Search&, const Planted&)>& see_planted) {
  const AttackerFacts facts = attacker.facts();
  const std::int64_t most = std::max<std::int64_t>(1, target.released.class_count / 2);
  const Planted planted = plant(target, std::min(planted_classes, most), seed);
  for (const Search& search : searches_of(evidence_of(attacker, planted.target), planted.target)) {
    if (finds_people(search.level)) tallies.add(facts, search, planted.target, "", kPlanted, planted.people);
    see_planted(search, planted);
  }
  if (attacker.least_of_other_photos() > 0) {
    const Target others = other_photos(target);
    if (!others.released.classes.empty())
      for (const Search& search : searches_of(evidence_of_photos(attacker, others), others))
        if (search.level == Level::PictureToPerson) tallies.add(facts, search, others, "", kOtherPhoto);
  }
  constexpr double once = 1.0 / kShuffles;  // the interval is that of one shuffle
  for (const Search& search : searches) {
    if (!finds_people(search.level)) continue;
    for (std::uint64_t i = 0; i < kShuffles; ++i)
      tallies.add(facts, with_shuffled_truth(search, target, key_of(seed, Purpose::Folds, kShuffleStage, i)),
                  target, "", kShuffled, {}, once);
    if (search.level != Level::PersonToClass || target.members == target.real.people_count) continue;
    for (std::uint64_t i = 0; i < kShuffles; ++i)
      tallies.add(facts, of_strangers(search, target, key_of(seed, Purpose::Folds, kStrangerStage, i)),
                  target, "", kNonmembers, {}, once);
  }
}

bool tried_on_plain(const AttackerFacts& facts) {
  return facts.id == "A0" || facts.id == "A1" || facts.id == "A2";
}

void count_on_plain(Attacker& attacker, const Target& plain, std::uint64_t seed, Tallies& tallies) {
  const auto test = [&](const Target& tested) {
    for (const Search& search : searches_of(evidence_of(attacker, tested), tested))
      if (finds_people(search.level)) tallies.add(attacker.facts(), search, tested, "", kPlain);
  };
  if (!attacker.learns()) return test(plain);
  const auto parts = halves(plain, seed);
  for (const std::size_t tested : {0U, 1U}) {
    attacker.fit(of_classes(plain, parts[1 - tested], false).lesson());
    test(of_classes(plain, parts[tested], true));
  }
}

void add_control(std::vector<ControlResult>& all, ControlResult result) {
  const auto same = std::find_if(all.begin(), all.end(),
                                 [&](const ControlResult& other) { return other.control == result.control; });
  const auto far = [](const ControlResult& c) { return std::abs(c.found.value - c.limit); };
  if (same == all.end()) {
    all.push_back(std::move(result));
  } else if (result.positive ? result.found.value > same->found.value
                             : same->works && (!result.works || far(result) > far(*same))) {
    *same = std::move(result);
  }
}

std::vector<ControlResult> verdicts(const AttackerFacts& facts, const std::vector<Measurement>& controls,
                                    double other_photos) {
  std::vector<ControlResult> all;
  for (const Measurement& row : controls) {
    const bool positive = row.control == kPlanted || row.control == kOtherPhoto || row.control == kPlain;
    const double limit = !positive                 ? row.chance
                         : row.control == kPlanted ? kPlantedLimit
                         : row.control == kPlain   ? kPlainLimit
                         : other_photos < 1        ? other_photos
                                            : std::min(kOtherPhotosOfEmbedders, other_photos * row.chance);
    ControlResult result{
        .attack = facts.id,
        .attacker = facts.name,
        .control = row.control,
        .positive = positive,
        .found = row.found,
        .limit = limit,
        .works = positive ? row.found.value >= limit : row.found.low <= limit && limit <= row.found.high};
    add_control(all, std::move(result));
  }
  return all;
}

}  // namespace facemae
