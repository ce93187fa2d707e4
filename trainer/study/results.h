#pragma once
// What the commands of a study have measured, gathered from the files that they wrote, and each arm judged by the rule.
#include <optional>
#include <string>
#include <vector>

#include "core/files/files.h"
#include "evaluation/statistics/figure.h"
#include "trainer/study/protocol.h"

namespace facemae {

/// The worst of an audit's figures: report.json's "headline" and "controls".
struct AuditHeadline {
  std::string attack, attacker, level;
  Figure naming_odds;
  std::int64_t people = 0;
  int positive_controls = 0;            ///< that were tried
  bool positive_controls_work = false;  ///< there are some, and all do
};
/// Throws DataError when the text, of `what`, has no headline.
AuditHeadline headline_from(const std::string& text, const std::string& what);
/// The mean accuracy over the sets of `facemae evaluate --json`. Throws DataError.
double utility_from(const std::string& text, const std::string& what);

struct SeedResult {
  std::uint64_t seed = 0;
  std::optional<double> utility;
  std::optional<AuditHeadline> headline;
};

/// An arm over its seeds. Nothing of an arm that failed counts.
struct ArmResult {
  PlannedArm arm;
  std::vector<SeedResult> seeds;
  std::string failure;    ///< why it has no figures; "" when it has
  bool finished = false;  ///< all its units have ended well
  Figure utility;         ///< mean and Student's 95 % interval over seeds; NaN limits with one seed
  std::optional<Figure> naming_odds;  ///< mean over seeds; the interval holds those of all seeds
  std::string worst;                  ///< the attacker and level that found most, over all seeds
  std::optional<Figure> to_plain;     ///< utility less that of plain, paired by seed
  bool controls_work = false;         ///< all positive controls, in every seed
  std::string verdict;                ///< by the rule
};

struct StudyResult {
  StudyProtocol protocol;
  std::string digest;  ///< SHA-256 of protocol.json
  std::vector<ArmResult> arms;
  std::size_t units = 0, done = 0, failed = 0;
  double seconds = 0;  ///< of all commands that ended
};

/// Reads OUT. Throws what read_protocol() does; what an arm lacks is its failure.
StudyResult gather_study(const Path& out);

/// Mean, intervals, differences and verdicts from the figures of seeds. Pure.
void judge_arms(std::vector<ArmResult>& arms, const WinRule& rule);

}  // namespace facemae
