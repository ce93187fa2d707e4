#pragma once
// What is fixed before a study runs: configuration, commands and the rule by which arms are judged. It is written to
// OUT/protocol.json, whose SHA-256 stands on the page.
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/files/files.h"
#include "trainer/study/plan.h"

namespace facemae {

/// The rule that is registered beforehand: an arm wins, or is a candidate setting. Figures are proportions.
struct WinRule {
  std::string plain = kPlainArm, plain95 = kPlain95Arm;
  double utility_margin = 0.01;  ///< an arm may be this much below plain
  double odds_factor = 0.5;      ///< upper limit of naming odds, as a part of plain95's naming odds
  std::map<int, double> candidate_limits{
      {4, 0.10}, {8, 0.05}, {20, 0.05}};  ///< by people per class, for that upper limit
  std::string text() const;
};

struct StudyProtocol {
  nlohmann::ordered_json configuration;  ///< inputs with digests, budget, settings: what may not change
  nlohmann::ordered_json taken;          ///< of each store that arms are made of: the digest of what is taken
  bool synthetic = false;  ///< the faces are drawn ones, so that pictures of all arms may be shown
  EqualShare share;
  StudyPlan plan;
  WinRule rule;
  std::string written;  ///< time of writing, UTC
};

nlohmann::ordered_json to_json(const StudyProtocol& protocol);
/// Throws DataError naming `what` when it is no protocol.
StudyProtocol protocol_from(const std::string& text, const std::string& what);

/// Writes OUT/protocol.json and OUT/commands.txt, with the time of now.
void write_protocol(FileSystem& files, const Path& out, StudyProtocol& protocol);
/// Throws ConfigError with what differs unless the study in `out`, which was begun before, had this configuration and
/// was begun by a program of this version.
void expect_same_study(const Path& out, const nlohmann::ordered_json& configuration);
/// Throws ConfigError when there is no study in `out`.
StudyProtocol read_protocol(const Path& out);
/// SHA-256 of OUT/protocol.json in hex.
std::string protocol_digest(const Path& out);
/// One word, or all of a command, as a shell reads them.
std::string shell_words(const std::vector<std::string>& words);

}  // namespace facemae
