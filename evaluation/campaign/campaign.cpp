#include "evaluation/campaign/campaign.h"

#include <torch/torch.h>

#include <algorithm>
#include <iterator>
#include <map>

#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"

namespace facemae {
namespace {

/// Who is tested, after learning from whom.
struct Fold {
  Target tested;
  Lesson lesson;
};

std::vector<Fold> folds_of(const Target& target, std::uint64_t seed) {
  const auto parts = halves(target, seed);
  std::vector<Fold> folds;
  for (const std::size_t tested : {0U, 1U})
    folds.push_back(
        {of_classes(target, parts[tested], true), of_classes(target, parts[1 - tested], false).lesson()});
  return folds;
}

/// One attacker, on all folds.
class Siege {
 public:
  Siege(Attacker& attacker, const CampaignOptions& options) : attacker_(attacker), options_(options) {}

  void test(const Target& target, const std::string& pairs, bool last) {
    const Evidence evidence = evidence_of(attacker_, target);
    const auto searches = searches_of(evidence, target);
    std::vector<std::int64_t> person;
    for (const Search& search : searches) {
      if (search.level == Level::PictureToPerson) person = search.person;
      found_.add(attacker_.facts(), search, target, pairs);
      if (in_full(last) && search.level == Level::PersonToClass) {
        membership(search).add(search, target);
        links(search).add(search, target);
      }
    }
    if (const auto own = own_pictures(evidence, target); !own.empty())
      found_.add(attacker_.facts(), Level::OwnPicture, "", own, person, target, pairs);
    if (in_full(last))
      count_controls(attacker_, target, searches, options_.planted_classes, options_.seed, controls_,
                     [&](const Search& search, const Planted& planted) {
                       if (search.level == Level::PersonToClass)
                         membership(search).add_planted(search, planted);
                     });
  }

  /// Learns from these; the fewest of all folds are told.
  void learn(const Lesson& lesson, const std::string& pairs) {
    attacker_.fit(lesson);
    const auto [entry, fresh] = learnt_from_.try_emplace(pairs, lesson.real.people_count);
    entry->second = std::min(entry->second, lesson.real.people_count);
  }

  void try_plain(const Target& plain) { count_on_plain(attacker_, plain, options_.seed, controls_); }

  void report(Findings& findings) const {
    const auto append = [&](std::vector<Measurement> rows) {
      for (Measurement& row : rows)
        if (const auto own = learnt_from_.find(row.pairs); own != learnt_from_.end())
          row.attacker_people = own->second;
      findings.measurements.insert(findings.measurements.end(), std::make_move_iterator(rows.begin()),
                                   std::make_move_iterator(rows.end()));
    };
    append(found_.measurements());
    std::vector<ControlResult> of_members;
    for (const auto& [unused, test] : memberships_) {
      append(test.measurements());
      for (AttackFigure& figure : test.figures()) findings.figures.push_back(std::move(figure));
      for (ControlResult& control : test.controls()) add_control(of_members, std::move(control));
    }
    std::move(of_members.begin(), of_members.end(), std::back_inserter(findings.controls));
    for (const auto& [unused, test] : links_)
      for (AttackFigure& figure : test.figures()) findings.figures.push_back(std::move(figure));
    const auto controls = controls_.measurements();
    for (ControlResult& verdict : verdicts(attacker_.facts(), controls, attacker_.least_of_other_photos()))
      findings.controls.push_back(std::move(verdict));
    append(controls);
  }

 private:
  MembershipTest& membership(const Search& search) {
    const AttackerFacts facts = attacker_.facts();
    return memberships_.try_emplace(search.way, facts.id + " " + facts.name + ", " + search.way)
        .first->second;
  }

  bool in_full(bool last) const { return last && !options_.levels_alone; }

  LinkTest& links(const Search& search) {
    const AttackerFacts facts = attacker_.facts();
    return links_.try_emplace(search.way, facts.id, facts.name + ", " + search.way).first->second;
  }

  Attacker& attacker_;
  const CampaignOptions& options_;
  Tallies found_, controls_;
  std::map<std::string, std::int64_t> learnt_from_;  ///< how many people, by pairs
  std::map<std::string, MembershipTest> memberships_;
  std::map<std::string, LinkTest> links_;
};

/// Sizes of the lesson, all (0) last.
std::vector<std::int64_t> curve(const Lesson& lesson, const std::vector<std::int64_t>& pairs) {
  std::vector<std::int64_t> sizes;
  for (const std::int64_t size : pairs)
    if (size < static_cast<std::int64_t>(lesson.released.classes.size())) sizes.push_back(size);
  sizes.push_back(0);
  return sizes;
}

}  // namespace

Findings attack_release(const std::vector<std::unique_ptr<Attacker>>& attackers, const Target& target,
                        const std::optional<Lesson>& own, const CampaignOptions& options) {
  check_target(target);
  const torch::NoGradGuard no_gradients;
  std::vector<Fold> folds;
  constexpr std::int64_t fewest_classes = 4;
  if (own) {
    folds.push_back({target, *own});
  } else if (target.released.class_count >= fewest_classes) {
    folds = folds_of(target, options.seed);
  }
  std::uint64_t looks = 0;
  for (const auto& attacker : attackers) {
    if (!attacker->learns()) ++looks;
    for (const Fold& fold : folds)
      if (attacker->learns()) looks += curve(fold.lesson, options.pairs).size();
  }
  Progress progress("attacking", looks, "looks");
  Findings findings;
  for (const auto& attacker : attackers) {
    Siege siege(*attacker, options);
    const std::string name = attacker->facts().id + " " + attacker->facts().name;
    if (options.plain &&
        tried_on_plain(attacker->facts())) {  // first: what it learns there is not for the release
      options.before_look();
      siege.try_plain(*options.plain);
    }
    if (!attacker->learns()) {
      options.before_look();
      siege.test(target, "", true);
      progress.advance(1, name);
    } else if (folds.empty()) {
      spdlog::warn(
          "{} is left out: it learns from people of its own, and a release of {} classes is too small to be halved; "
          "give it a release of other people (--attacker-store, --attacker-released, --attacker-link)",
          name, target.released.class_count);
      continue;
    }
    for (const Fold& fold : folds) {
      if (!attacker->learns()) break;
      for (const std::int64_t size : curve(fold.lesson, options.pairs)) {
        const std::string pairs = size == 0 ? "all" : std::to_string(size);
        options.before_look();
        siege.learn(some_pairs(fold.lesson, size, options.seed), pairs);
        siege.test(fold.tested, pairs, size == 0);
        progress.advance(1, name);
      }
    }
    siege.report(findings);
  }
  progress.finish();
  return findings;
}

}  // namespace facemae
