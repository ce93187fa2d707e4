#include "cluster/hang/hang_verdict.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "core/text.h"

namespace facemae {
namespace {

using Reports = std::vector<const HangReport*>;

/// A communicator in which ranks wait.
struct Place {
  std::string name;
  Reports waiting;          ///< in its newest operations
  Reports behind;           ///< ranks that have not come that far
  OperationNote operation;  ///< that of the rank that has waited longest
};

std::string ranks_text(const std::vector<int>& ranks) {
  constexpr std::size_t kShown = 8;
  std::vector<std::string> words(ranks.size());
  std::transform(ranks.begin(), ranks.end(), words.begin(), [](int rank) { return std::to_string(rank); });
  if (words.size() == 1) return "rank " + words[0];
  if (words.size() > kShown) {
    words.resize(kShown);
    return fmt::format("ranks {}, ... ({} in all)", join(words, ", "), ranks.size());
  }
  const std::string last = words.back();
  words.pop_back();
  return "ranks " + join(words, ", ") + " and " + last;
}

std::vector<int> ranks_of(const Reports& reports) {
  std::vector<int> ranks;
  for (const auto* report : reports) ranks.push_back(report->rank);
  return ranks;
}

std::string operation_text(const std::string& communicator, const OperationNote& operation) {
  return fmt::format("operation {} of '{}' ({})", operation.number, communicator, operation.what);
}

std::string wait_text(const Place& place) {
  return fmt::format("{} wait{} in {}", ranks_text(ranks_of(place.waiting)),
                     place.waiting.size() == 1 ? "s" : "", operation_text(place.name, place.operation));
}

std::string doing_text(const HangReport& report) {
  return fmt::format("{}{}, without progress for {}", name_of(report.at.phase),
                     report.at.step > 0 ? fmt::format(" (step {})", report.at.step) : "",
                     human_seconds(report.at.quiet.count()));
}

/// All places where someone waits.
std::vector<Place> places_of(const std::vector<HangReport>& reports) {
  std::set<std::string> names;
  for (const auto& report : reports)
    for (const auto& note : report.communicators) names.insert(note.name);
  std::vector<Place> places;
  for (const auto& name : names) {
    std::uint64_t newest = 0;
    for (const auto& report : reports)
      if (const auto* note = report.find(name)) newest = std::max(newest, note->pushed);
    Place place{.name = name, .waiting = {}, .behind = {}, .operation = {}};
    for (const auto& report : reports) {
      const auto* note = report.find(name);
      if (note == nullptr || note->pushed < newest) {
        place.behind.push_back(&report);
      } else if (const auto* operation = note->waiting_in()) {
        place.waiting.push_back(&report);
        if (operation->pushed > place.operation.pushed || place.operation.number == 0)
          place.operation = *operation;
      }
    }
    if (!place.waiting.empty()) places.push_back(std::move(place));
  }
  return places;
}

/// Where most ranks wait, and of those the longest; places that know who is behind come first.
std::optional<Place> main_place(const std::vector<Place>& places) {
  const auto weight = [](const Place& place) {
    return std::tuple(!place.behind.empty(), place.waiting.size(), place.operation.pushed);
  };
  const auto found = std::max_element(places.begin(), places.end(),
                                      [&](const Place& a, const Place& b) { return weight(a) < weight(b); });
  return found == places.end() ? std::nullopt : std::optional(*found);
}

std::string behind_text(const HangReport& report, const Place& place, const std::vector<Place>& places) {
  std::string text = fmt::format("rank {} (host {}, process {}) has not entered it: {}", report.rank,
                                 report.host, report.process, doing_text(report));
  const auto* note = report.find(place.name);
  if (note != nullptr && !note->tail.empty())
    text += fmt::format("; its last there is {} ({})", note->tail.back().number, note->tail.back().what);
  for (const auto& other : places)
    if (other.name != place.name &&
        std::find(other.waiting.begin(), other.waiting.end(), &report) != other.waiting.end())
      text += "; it waits in " + operation_text(other.name, other.operation);
  return text;
}

/// Ranks whose operation of that number is another one than that of most.
Reports different(const Place& place) {
  std::map<std::string, Reports> by_what;
  for (const auto* report : place.waiting)
    if (const auto* operation = report->find(place.name)->waiting_in();
        operation->number == place.operation.number)
      by_what[operation->what].push_back(report);
  Reports odd;
  if (by_what.size() < 2) return odd;
  const auto most = std::max_element(by_what.begin(), by_what.end(), [](const auto& a, const auto& b) {
    return a.second.size() < b.second.size();
  });
  for (auto group = by_what.begin(); group != by_what.end(); ++group)
    if (group != most) odd.insert(odd.end(), group->second.begin(), group->second.end());
  return odd;
}

std::vector<int> missing_in(const std::vector<HangReport>& reports, int world) {
  std::vector<int> missing;
  auto next = reports.begin();
  for (int rank = 0; rank < world; ++rank) {
    if (next != reports.end() && next->rank == rank)
      ++next;
    else
      missing.push_back(rank);
  }
  return missing;
}

/// Held against ranks that left no report?
bool missed_too_long(const std::vector<int>& missing, const std::vector<HangReport>& reports,
                     const Place& place, const Absences& absences) {
  const auto waits_too_long = [&](const auto& report) { return report.at.quiet >= absences.longest; };
  if (std::any_of(reports.begin(), reports.end(), waits_too_long)) return true;
  const auto within_limit = [](const auto* report) { return !report->at.late(); };
  if (std::any_of(place.behind.begin(), place.behind.end(), within_limit)) return false;
  return std::any_of(missing.begin(), missing.end(), [&](int rank) {
    const auto found = absences.since.find(rank);
    return found != absences.since.end() && found->second >= absences.borne;
  });
}

}  // namespace

Verdict judge(const std::vector<HangReport>& reports, int world, const Absences& absences) {
  Verdict verdict;
  verdict.missing = missing_in(reports, world);
  const auto& missing = verdict.missing;
  const auto places = places_of(reports);
  const auto place = main_place(places);

  Reports suspects;
  std::vector<std::string> parts;
  if (!place) {  // nobody waits for anybody
    for (const auto& report : reports) {
      suspects.push_back(&report);
      parts.push_back(fmt::format("rank {} (host {}, process {}) is in {}", report.rank, report.host,
                                  report.process, doing_text(report)));
    }
    if (!missing.empty()) parts.push_back(ranks_text(missing) + " left no report");
  } else if (!missing.empty()) {
    parts.push_back(ranks_text(missing) +
                    " left no report: stopped, dead, or cut off from the folder of the run");
    parts.push_back(wait_text(*place));
    for (const auto* report : place->behind) parts.push_back(behind_text(*report, *place, places));
  } else if (!place->behind.empty()) {
    suspects = place->behind;
    parts.push_back(wait_text(*place));
    for (const auto* report : suspects) parts.push_back(behind_text(*report, *place, places));
  } else if (suspects = different(*place); !suspects.empty()) {
    parts.push_back(wait_text(*place));
    for (const auto* report : suspects)
      parts.push_back(fmt::format("rank {} entered that number as {}", report->rank,
                                  report->find(place->name)->waiting_in()->what));
  } else {
    for (const auto& report : reports) suspects.push_back(&report);
    parts.push_back(wait_text(*place) + ", and nobody is missing: the network or a device makes no progress");
  }
  for (const auto& report : reports) {
    if (report.cause != HangCause::PeerLost) continue;
    parts.push_back(fmt::format("rank {}: {}", report.rank, report.error));
    verdict.fatal = true;
    break;  // those of the others say the same
  }
  const bool all_wait = place && suspects.size() == reports.size();
  verdict.ranks = place && !missing.empty() ? missing : all_wait ? std::vector<int>{} : ranks_of(suspects);
  verdict.text = join(parts, "; ");
  verdict.fatal = verdict.fatal ||
                  (place && !missing.empty() && missed_too_long(missing, reports, *place, absences)) ||
                  std::any_of(suspects.begin(), suspects.end(), [](const auto* s) { return s->at.late(); });
  for (const auto* suspect : suspects)
    if (const Seconds left = suspect->at.limit - suspect->at.quiet;
        suspect == suspects.front() || left < verdict.ask_again)
      verdict.ask_again = left;
  verdict.ask_again = std::max(verdict.ask_again, Seconds(1));
  return verdict;
}

}  // namespace facemae
