#include "data/release/release_ledger.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "core/error.h"

namespace facemae {
namespace {

using nlohmann::json;
constexpr const char* kLedgerName = "ledger.jsonl";

}  // namespace

std::vector<LedgerEntry> read_ledger(const PrivateFolder& folder) {
  std::vector<LedgerEntry> entries;
  if (!folder.has(kLedgerName)) return entries;
  std::istringstream lines(folder.read(kLedgerName));
  for (std::string line; std::getline(lines, line);) {
    try {
      const json j = json::parse(line);
      entries.push_back({.dataset = j.at("dataset"),
                         .out = j.at("out"),
                         .uuid = j.at("uuid"),
                         .reason = j.at("reason"),
                         .finished = j.at("finished"),
                         .images = {},
                         .partition = {}});
      entries.back().policy = j.value("policy", "");
      if (j.contains("images")) entries.back().images = j.at("images").get<std::uint64_t>();
      if (j.contains("partition")) {
        entries.back().people_per_class = j.at("people_per_class");
        entries.back().groups = j.at("groups");
        entries.back().partition = j.at("partition");
      }
    } catch (const json::exception& error) {
      throw DataError("the ledger of releases " + (folder.path() / kLedgerName).string() + " is damaged (" +
                      error.what() + "): restore it; without it nobody knows what was released");
    }
  }
  return entries;
}

void write_ledger(PrivateFolder& folder, const std::vector<LedgerEntry>& entries) {
  std::string text;
  for (const LedgerEntry& e : entries) {
    json line{{"dataset", e.dataset},
              {"out", e.out},
              {"uuid", e.uuid},
              {"reason", e.reason},
              {"finished", e.finished}};
    if (!e.policy.empty()) line["policy"] = e.policy;
    if (e.images) line["images"] = *e.images;
    if (e.people_per_class > 1) {
      line["people_per_class"] = e.people_per_class;
      line["groups"] = e.groups;
      line["partition"] = e.partition;
    }
    text += line.dump() + "\n";
  }
  folder.write(kLedgerName, text);
}

void note_policy(PrivateFolder& folder, const std::string& uuid, const std::string& digest) {
  auto entries = read_ledger(folder);
  for (LedgerEntry& entry : entries)
    if (entry.uuid == uuid && entry.policy.empty()) entry.policy = digest;
  write_ledger(folder, entries);
}

}  // namespace facemae
