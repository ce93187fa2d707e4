#include "trainer/release/closing_audit.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "core/failpoint.h"
#include "core/log.h"
#include "core/text.h"
#include "data/release/release_link.h"
#include "evaluation/statistics/intervals.h"
#include "trainer/apply/stored_images.h"
#include "trainer/release/class_audit.h"

namespace facemae {
namespace {

constexpr std::uint64_t kSampled = 2000, kCandidates = 8000;

QuickAudit audit_originals(const Store& released, const ReleaseLink& link, const Store& source) {
  const std::uint64_t sampled = std::min<std::uint64_t>(kSampled, released.size());
  std::vector<std::uint64_t> rows, sources;
  AuditInput input;
  for (std::uint64_t i = 0; i < sampled; ++i) {
    rows.push_back(i * released.size() / sampled);
    sources.push_back(link.sources_of(rows.back()).front());
    input.mate.push_back(static_cast<std::int64_t>(i));
    const std::int64_t person = source.label(sources.back());
    input.real_identity.push_back(person < 0 ? -1 - static_cast<std::int64_t>(i) : person);  // nobody known
  }
  input.released = load_images(released, rows);
  input.real = load_images(source, sources);
  return quick_pixel_audit(input);
}

/// Which classes are looked at, spread over all: those of as many photos as may be candidates.
std::vector<std::int64_t> classes_to_try(const Store& released, const ReleaseLink& link) {
  const std::set<std::uint64_t> photos(link.source_rows.begin(), link.source_rows.end());
  const auto all = static_cast<std::uint64_t>(released.identities());
  const std::uint64_t some = std::clamp<std::uint64_t>(
      kCandidates * all / std::max<std::size_t>(1, photos.size()), std::min<std::uint64_t>(2, all), all);
  std::vector<std::int64_t> classes;
  for (std::uint64_t i = 0; i < some; ++i) classes.push_back(static_cast<std::int64_t>(i * all / some));
  return classes;
}

BlendAudit audit_blend(const Store& released, const ReleaseLink& link, const Store& source) {
  const auto classes = classes_to_try(released, link);
  ReleasedFaces pictures{
      .pictures = {}, .classes = {}, .class_count = static_cast<std::int64_t>(classes.size())};
  RealFaces real{.photos = {}, .people = {}};
  FaceLinks links;
  std::vector<std::uint64_t> rows, photos;
  std::map<std::int64_t, std::int64_t> number;  // of a person: label -> place
  for (std::size_t c = 0; c < classes.size(); ++c) {
    const auto own = released.rows_of(classes[c]);
    const std::uint64_t some =
        std::min<std::uint64_t>(own.size(), std::max<std::uint64_t>(1, kSampled / classes.size()));
    for (std::uint64_t i = 0; i < some; ++i) {
      rows.push_back(own[i * own.size() / some]);
      pictures.classes.push_back(static_cast<std::int64_t>(c));
    }
    std::set<std::uint64_t> originals;
    std::set<std::int64_t> people;
    for (const std::uint64_t row : own)
      for (const std::uint64_t photo : link.sources_of(row)) originals.insert(photo);
    for (const std::uint64_t photo : originals) {
      const auto person =
          number.emplace(source.label(photo), static_cast<std::int64_t>(number.size())).first->second;
      photos.push_back(photo);
      real.people.push_back(person);
      people.insert(person);
    }
    links.people_of_class.emplace_back(people.begin(), people.end());
  }
  real.people_count = static_cast<std::int64_t>(number.size());
  pictures.pictures = load_images(released, rows);
  real.photos = load_images(source, photos);
  const auto found = look_for_people(fixed_pixel_attackers(), pictures, real, links);
  return {.picture = worst_of(found, Level::PictureToPerson),
          .by_class = worst_of(found, Level::ClassToPerson),
          .pictures = static_cast<std::int64_t>(rows.size()),
          .classes = pictures.class_count,
          .photos = static_cast<std::int64_t>(photos.size()),
          .people = real.people_count};
}

std::string text_of(const QuickAudit& audit) {
  std::string text = fmt::format(
      "quick pixel audit: of {} rebuilt faces of {} people, {:.1f} % are linked to their original among {} candidates by the best of four simple pixel attackers, {} (chance {:.2f} %; "
      "95 % interval {:.1f} to {:.1f}, by person).\n"
      "More candidates lower this figure, better attackers raise it, and it says nothing of people who are not in it: run `facemae audit` before anything leaves your hands.\n",
      human_count(static_cast<std::uint64_t>(audit.probes)),
      human_count(static_cast<std::uint64_t>(audit.people)), 100 * audit.rank1.value,
      human_count(static_cast<std::uint64_t>(audit.candidates)), audit.attacker, 100 * audit.chance,
      100 * audit.rank1.low, 100 * audit.rank1.high);
  if (audit.people < kFewPeople)
    text += fmt::format("The interval rests on {} people only: it says little of others.\n", audit.people);
  return text;
}

std::string figures_of(const Measurement& found) {
  const Figure odds = naming_odds(found);
  return fmt::format(
      "{:.1f} % ({}; chance {:.1f} %; 95 % interval {:.1f} to {:.1f}, by class), which names a person with odds of {:.1f} %",
      100 * found.found.value, found.attacker, 100 * found.chance, 100 * found.found.low,
      100 * found.found.high, 100 * odds.value);
}

std::string text_of(const BlendAudit& audit) {
  const auto count = [](std::int64_t n) { return human_count(static_cast<std::uint64_t>(n)); };
  std::string text = fmt::format(
      "quick pixel audit of a blend, by the best of four simple pixel attackers, among {} photos of {} people:\n"
      "of {} pictures, the nearest photo is of one of the people that the picture was made of for {};\n"
      "of {} classes, the mean is nearest to the mean of one of their people for {}.\n"
      "The odds are the hits divided by the {} people of a class: who finds a class has not told its people apart. "
      "They say nothing of whether somebody is in the release at all. "
      "Better attackers raise them: run `facemae audit` before anything leaves your hands.\n",
      count(audit.photos), count(audit.people), count(audit.pictures), figures_of(audit.picture),
      count(audit.classes), figures_of(audit.by_class), audit.picture.people_per_class);
  if (audit.classes < kFewPeople)
    text += fmt::format("The intervals rest on {} classes only: they say little of others.\n", audit.classes);
  return text;
}

}  // namespace

ClosingAudit closing_audit(const Path& out, const Path& private_folder, const Store& source) {
  failpoint("reconstruct.audit");
  const auto released = Store::open(out);
  const auto link = read_link(private_folder, released->dataset_digest().hex());
  if (link.released_digest != released->dataset_digest().hex() || link.pictures() != released->size())
    throw DataError("the links in " + private_folder.string() + " are not of the release " + out.string());
  if (link.is_blend()) return {.originals = {}, .blend = audit_blend(*released, link, source)};
  return {.originals = audit_originals(*released, link, source), .blend = {}};
}

std::string closing_audit_text(const ClosingAudit& audit) {
  return audit.blend ? text_of(*audit.blend) : text_of(*audit.originals);
}

}  // namespace facemae
