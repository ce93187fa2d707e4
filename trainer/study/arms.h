#pragma once
// The arms of a study: what its recognisers are trained on, and which FaceMAE made it. docs/METHOD.md, "The study".
#include <span>
#include <string>
#include <vector>

#include "core/kinds.h"

namespace facemae {

/// Where the pictures of an arm come from.
enum class ArmSource {
  Photos,   ///< the real faces themselves
  Pixels,   ///< a simple defence of the real faces (`reconstruct --baseline`): they show who it is
  Decoder,  ///< rebuilt by FaceMAE
  Outside,  ///< another store (--arm NAME=STORE), of people that are not in this study
};
const char* name_of(ArmSource source);
ArmSource arm_source_from(const std::string& name);

/// A row of the table of arms. Words may hold @IMAGES (photos of a blend) and @TRAIN (the store of FaceMAE's people).
struct StudyArm {
  const char* name;
  const char* help;
  ArmSource source;
  const char* model = "";    ///< row of study_models(); "" none
  const char* words = "";    ///< what `reconstruct` gets beside stores and model
  int people_per_class = 1;  ///< K of a blend
  bool blends = false;       ///< of K people, or of the photos of one
  bool by_name = false;      ///< only where --arms names it: small stores cannot have it
};
std::span<const StudyArm> study_arms();

/// A FaceMAE that arms share: one is trained for each seed.
struct StudyModel {
  const char* name;
  const char* help;
  const char* words;  ///< what `pretrain` gets beside the budget
};
std::span<const StudyModel> study_models();

/// The arms that the win rule compares with.
inline constexpr const char* kPlainArm = "facemae";
inline constexpr const char* kPlain95Arm = "mask-0.95";

/// How long everything is trained: `key=value` words of `pretrain` and of `recognize`.
struct StudyBudget {
  const char* name;
  const char* help;
  const char* pretrain;
  const char* recognize;
  int seeds;
  const char* attacks;  ///< of every audit, and
  const char* audit;    ///< its `key=value` words
};
std::span<const StudyBudget> study_budgets();

/// Options of a command in order: "steps" -> "500"; a switch has the value "".
using Settings = std::vector<std::pair<std::string, std::string>>;
/// Words "key=value" or "switch". Throws ConfigError naming `option` for anything else and for a key of
/// `reserved`, which the study sets itself.
Settings settings_from(const std::vector<std::string>& words, const std::string& option,
                       std::span<const char* const> reserved);
/// `base` with the values of `given`; "steps" and "epochs" replace each other.
Settings merged(Settings base, const Settings& given);
/// "--steps", "500", ...
void append_words(std::vector<std::string>& words, const Settings& settings);

}  // namespace facemae
