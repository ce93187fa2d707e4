#include "trainer/study/unit_records.h"

#include <functional>
#include <map>
#include <nlohmann/json.hpp>

namespace facemae {
namespace {

Path record_file(const Path& out, const StudyUnit& unit) { return out / "done" / (unit.id + ".json"); }

}  // namespace

Path log_of(const Path& out, const StudyUnit& unit) { return out / "logs" / (unit.id + ".log"); }
Path lock_folder_of(const Path& out, const StudyUnit& unit) { return out / "locks" / unit.id; }

std::optional<UnitRecord> read_record(const Path& out, const StudyUnit& unit) {
  const Path file = record_file(out, unit);
  if (!std::filesystem::exists(file)) return {};
  const auto json = nlohmann::json::parse(read_plain_file(file), nullptr, false);
  if (!json.is_object() || json.value("command", std::vector<std::string>()) != unit.words) return {};
  return UnitRecord{
      .code = json.value("code", 1), .seconds = json.value("seconds", 0.0), .said = json.value("said", "")};
}

void write_record(FileSystem& files, const Path& out, const StudyUnit& unit, const UnitRecord& record) {
  const nlohmann::ordered_json json = {{"unit", unit.id},
                                       {"code", record.code},
                                       {"seconds", record.seconds},
                                       {"said", record.said},
                                       {"command", unit.words}};
  make_folders(files, out / "done");
  write_durably(files, record_file(out, unit),
                json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

std::size_t forget_failures(FileSystem& files, const Path& out, const std::vector<StudyUnit>& units) {
  std::size_t failures = 0;
  for (const auto& unit : units) {
    const auto record = read_record(out, unit);
    if (!record || record->code == 0) continue;
    files.remove(record_file(out, unit));
    ++failures;
  }
  return failures;
}

std::vector<UnitState> states_of(const std::vector<StudyUnit>& units,
                                 const std::vector<std::optional<UnitRecord>>& records) {
  std::map<std::string, std::size_t> places;
  for (std::size_t u = 0; u < units.size(); ++u) places[units[u].id] = u;
  std::vector<std::optional<UnitState>> known(units.size());
  const std::function<UnitState(std::size_t)> state = [&](std::size_t u) {
    if (known[u]) return *known[u];
    UnitState found = UnitState::Ready;
    if (records[u]) {
      found = records[u]->code == 0 ? UnitState::Done : UnitState::Failed;
    } else {
      for (const auto& need : units[u].needs) {
        const auto place = places.find(need);
        if (place == places.end())
          throw ConfigError("planning " + units[u].id + ": it needs " + need +
                            ", which the study does not have");
        const UnitState of_need = state(place->second);
        if (of_need == UnitState::Failed || of_need == UnitState::Lost) {
          found = UnitState::Lost;
          break;
        }
        if (of_need != UnitState::Done) found = UnitState::Blocked;
      }
    }
    known[u] = found;
    return found;
  };
  std::vector<UnitState> states;
  for (std::size_t u = 0; u < units.size(); ++u) states.push_back(state(u));
  return states;
}

}  // namespace facemae
