#include "cluster/hang/hang_report.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/error.h"

namespace facemae {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kPhases = {Phase::StartUp,    Phase::FirstStep, Phase::Step,    Phase::Data,
                                Phase::Evaluation, Phase::Save,      Phase::Shutdown};
constexpr std::array kCauses = {"waiting", "deadline", "peer lost"};  // in the order of HangCause
constexpr std::array kStates = {"pushed", "started", "finished"};     // in the order of OperationState

template <class Enum, class Words>
Enum from_word(const Words& words, const std::string& word) {
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) throw Error("\"" + word + "\" is not a word of a hang report");
  return static_cast<Enum>(found - words.begin());
}

Phase phase_from(const std::string& name) {
  const auto found =
      std::find_if(kPhases.begin(), kPhases.end(), [&](Phase phase) { return name_of(phase) == name; });
  if (found == kPhases.end()) throw Error("\"" + name + "\" is not a phase");
  return *found;
}

Json to_json(const OperationNote& operation) {
  Json json = {{"number", operation.number},
               {"what", operation.what},
               {"state", kStates.at(static_cast<std::size_t>(operation.state))},
               {"pushed", operation.pushed}};
  if (operation.state >= OperationState::Started) json["started"] = operation.started;
  if (operation.state == OperationState::Finished) json["finished"] = operation.finished;
  return json;
}

OperationNote operation_from(const Json& json) {
  return {.number = json.at("number"),
          .what = json.at("what"),
          .state = from_word<OperationState>(kStates, json.at("state")),
          .pushed = json.at("pushed"),
          .started = json.value("started", 0.0),
          .finished = json.value("finished", 0.0)};
}

}  // namespace

const OperationNote* CommunicatorNote::waiting_in() const {
  const auto open = std::find_if(tail.begin(), tail.end(),
                                 [](const auto& note) { return note.state != OperationState::Finished; });
  return open == tail.end() ? nullptr : &*open;
}

const CommunicatorNote* HangReport::find(const std::string& communicator) const {
  const auto found = std::find_if(communicators.begin(), communicators.end(),
                                  [&](const auto& note) { return note.name == communicator; });
  return found == communicators.end() ? nullptr : &*found;
}

CommunicatorNote note_of(const OperationRing::Snapshot& ring, PhaseClock::Time now) {
  CommunicatorNote note{.name = ring.name,
                        .pushed = ring.pushed,
                        .started = ring.started,
                        .finished = ring.finished,
                        .tail = {}};
  const auto age = [&](bool reached, PhaseClock::Time time) {
    return reached ? Seconds(now - time).count() : 0.0;
  };
  for (const auto& operation : ring.tail)
    note.tail.push_back({.number = operation.number,
                         .what = operation.what,
                         .state = operation.state,
                         .pushed = age(true, operation.pushed),
                         .started = age(operation.state >= OperationState::Started, operation.started),
                         .finished = age(operation.state == OperationState::Finished, operation.finished)});
  return note;
}

std::string to_json(const HangReport& report) {
  Json communicators = Json::array();
  for (const auto& note : report.communicators) {
    Json operations = Json::array();
    for (const auto& operation : note.tail) operations.push_back(to_json(operation));
    communicators.push_back({{"name", note.name},
                             {"pushed", note.pushed},
                             {"started", note.started},
                             {"finished", note.finished},
                             {"operations", operations}});
  }
  const Json json = {{"rank", report.rank},
                     {"world", report.world},
                     {"host", report.host},
                     {"process", report.process},
                     {"written", report.written},
                     {"cause", kCauses.at(static_cast<std::size_t>(report.cause))},
                     {"error", report.error},
                     {"phase", name_of(report.at.phase)},
                     {"step", report.at.step},
                     {"seconds_in_phase", report.at.in_phase.count()},
                     {"seconds_without_progress", report.at.quiet.count()},
                     {"limit_seconds", report.at.limit.count()},
                     {"communicators", communicators}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

HangReport parse_hang_report(const std::string& text) try {
  const auto json = Json::parse(text);
  HangReport report{.rank = json.at("rank"),
                    .world = json.at("world"),
                    .host = json.at("host"),
                    .process = json.at("process"),
                    .written = json.at("written"),
                    .cause = from_word<HangCause>(kCauses, json.at("cause")),
                    .error = json.at("error"),
                    .at = {.phase = phase_from(json.at("phase")),
                           .step = json.at("step"),
                           .in_phase = Seconds(json.at("seconds_in_phase").get<double>()),
                           .quiet = Seconds(json.at("seconds_without_progress").get<double>()),
                           .limit = Seconds(json.at("limit_seconds").get<double>())},
                    .communicators = {}};
  for (const auto& note : json.at("communicators")) {
    CommunicatorNote communicator{.name = note.at("name"),
                                  .pushed = note.at("pushed"),
                                  .started = note.at("started"),
                                  .finished = note.at("finished"),
                                  .tail = {}};
    for (const auto& operation : note.at("operations"))
      communicator.tail.push_back(operation_from(operation));
    report.communicators.push_back(std::move(communicator));
  }
  return report;
} catch (const nlohmann::json::exception& error) {
  throw Error(std::string("reading a hang report: ") + error.what());
}

}  // namespace facemae
