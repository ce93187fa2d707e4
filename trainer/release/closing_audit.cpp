#include "trainer/release/closing_audit.h"

#include <algorithm>

#include "core/error.h"
#include "core/failpoint.h"
#include "core/log.h"
#include "core/text.h"
#include "data/release/release.h"
#include "evaluation/statistics/intervals.h"
#include "trainer/apply/stored_images.h"

namespace facemae {
namespace {

constexpr std::uint64_t kSampled = 2000;

}  // namespace

QuickAudit closing_audit(const Path& out, const Path& private_folder, const Store& source) {
  failpoint("reconstruct.audit");
  const auto released = Store::open(out);
  const auto link = read_link(private_folder, released->dataset_digest().hex());
  if (link.released_digest != released->dataset_digest().hex() || link.source_rows.size() != released->size())
    throw DataError("the links in " + private_folder.string() + " are not of the release " + out.string());
  const std::uint64_t sampled = std::min<std::uint64_t>(kSampled, released->size());
  std::vector<std::uint64_t> rows, sources;
  AuditInput input;
  for (std::uint64_t i = 0; i < sampled; ++i) {
    rows.push_back(i * released->size() / sampled);
    sources.push_back(link.source_rows[rows.back()]);
    input.mate.push_back(static_cast<std::int64_t>(i));
    const std::int64_t person = source.label(sources.back());
    input.real_identity.push_back(person < 0 ? -1 - static_cast<std::int64_t>(i) : person);  // nobody known
  }
  input.released = load_images(*released, rows);
  input.real = load_images(source, sources);
  return quick_pixel_audit(input);
}

std::string closing_audit_text(const QuickAudit& audit) {
  std::string text = fmt::format(
      "quick pixel audit: of {} rebuilt faces of {} people, {:.1f} % are linked to their original among {} candidates by the best of three simple pixel attackers, {} (chance {:.2f} %; "
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

}  // namespace facemae
