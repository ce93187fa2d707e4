#include "trainer/release/closing_audit.h"

#include <algorithm>
#include <memory>

#include "core/error.h"
#include "core/failpoint.h"
#include "core/log.h"
#include "core/text.h"
#include "data/release/release_link.h"
#include "evaluation/attacks/channel_attacker.h"
#include "evaluation/attacks/fixed_attackers.h"
#include "evaluation/campaign/campaign.h"
#include "evaluation/statistics/intervals.h"
#include "evaluation/statistics/maximum.h"
#include "trainer/release/audit_target.h"

namespace facemae {
namespace {

constexpr std::uint64_t kPictures = 2000, kOfClass = 500;
constexpr Level kLevels[] = {Level::OwnPicture, Level::PictureToPerson, Level::PersonToClass,
                             Level::ClassToPerson};

std::vector<std::unique_ptr<Attacker>> simple_attackers(const Target& target) {
  const torch::Tensor& photos = target.real.photos;
  std::vector<std::unique_ptr<Attacker>> all;
  for (FixedAttacker& attacker : pixel_attackers(photos.size(2), photos.size(3)))
    all.push_back(std::make_unique<FixedAttacker>(std::move(attacker)));
  constexpr std::int64_t enough_to_learn = 8;  // classes: half of them teach
  constexpr std::int64_t fewest_pairs = 32;
  if (target.released.class_count >= enough_to_learn && target.released.pictures.size(0) >= fewest_pairs)
    all.push_back(std::make_unique<ChannelAttacker>());
  return all;
}

std::string count(std::int64_t n) { return human_count(static_cast<std::uint64_t>(n)); }

std::string rate(const Measurement& found) {
  return fmt::format("{:.1f} % ({}; chance {:.2f} %; 95 % interval {:.1f} to {:.1f}, by person)",
                     100 * found.found.value, found.attacker, 100 * found.chance, 100 * found.found.low,
                     100 * found.found.high);
}

}  // namespace

const Measurement* ClosingAudit::at(Level level) const {
  const auto place =
      std::find_if(found.begin(), found.end(), [&](const Measurement& one) { return one.level == level; });
  return place == found.end() ? nullptr : &*place;
}

ClosingAudit closing_audit(const Path& out, const Path& private_folder, const Store& source) {
  failpoint("reconstruct.audit");
  const auto released = Store::open(out);
  const auto link = read_link(private_folder, released->dataset_digest().hex());
  const Target target =
      audit_target(source, *released, link, nullptr,
                   {.most_pictures = kPictures, .most_of_class = kOfClass, .originals_alone = true})
          .target;
  const auto attackers = simple_attackers(target);
  const Findings all = attack_release(attackers, target, std::nullopt, {.pairs = {}, .levels_alone = true});
  ClosingAudit audit{.found = {},
                     .naming_odds = interval_of_maximum(all.measurements),
                     .attackers = attackers.size(),
                     .pictures = target.released.pictures.size(0),
                     .classes = target.released.class_count,
                     .photos = target.real.photos.size(0),
                     .people = target.members};
  for (const Level level : kLevels) {
    std::vector<Measurement> own;
    for (const Measurement& one : all.measurements)
      if (one.level == level) own.push_back(one);
    if (const Measurement* worst = strongest(own)) audit.found.push_back(*worst);
  }
  return audit;
}

std::string closing_audit_text(const ClosingAudit& audit) {
  const Measurement* own = audit.at(Level::OwnPicture);
  std::string text = fmt::format(
      "quick audit: of {} rebuilt faces in {} classes, among {} photos of {} people, the best of {} simple attackers\n",
      count(audit.pictures), count(audit.classes), count(audit.photos), count(audit.people), audit.attackers);
  if (own != nullptr) text += fmt::format("  links a picture to its original: {}\n", rate(*own));
  if (const auto* found = audit.at(Level::PictureToPerson))
    text += fmt::format("  finds {} of a picture: {}\n", own != nullptr ? "the person" : "one of the people",
                        rate(*found));
  if (const auto* found = audit.at(Level::PersonToClass))
    text += fmt::format("  finds the class of a person: {}\n", rate(*found));
  if (const auto* found = audit.at(Level::ClassToPerson))
    text += fmt::format("  finds {} of a class: {}\n", own != nullptr ? "the person" : "one of the people",
                        rate(*found));
  text +=
      fmt::format("It names a person rightly with odds of {:.1f} % (95 % interval {:.1f} to {:.1f})",
                  100 * audit.naming_odds.value, 100 * audit.naming_odds.low, 100 * audit.naming_odds.high);
  const auto k = audit.found.empty() ? 1 : audit.found.front().people_per_class;
  text += k > 1 ? fmt::format(
                      ": hits divided by the {} people of a class, since who finds a class has not told "
                      "its people apart.\n",
                      k)
                : ".\n";
  text +=
      "More candidates lower these figures and better attackers raise them; they say nothing of whether somebody is in the release at all: "
      "run `facemae audit` before anything leaves your hands.\n";
  if (audit.people < kFewPeople)
    text += fmt::format("The intervals rest on {} people only: they say little of others.\n", audit.people);
  return text;
}

}  // namespace facemae
