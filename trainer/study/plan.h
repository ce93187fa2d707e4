#pragma once
// From a configuration to the list of commands of a study: a pure function.
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/study/arms.h"
#include "trainer/study/equal_share.h"

namespace facemae {

/// What a user asks for. Paths as given; prepare_study() makes them absolute.
struct StudyConfig {
  std::string train, unseen, held_out, pairs;
  std::vector<std::string> bins;     ///< verification packs, instead of held_out and pairs
  std::vector<std::string> arms;     ///< names of study_arms()
  std::vector<std::string> outside;  ///< NAME=STORE
  std::string budget = "minutes";
  int seeds = 0;  ///< 0: as the budget says
  std::uint64_t seed = 0;
  std::vector<std::string> pretrain, recognize, audit;  ///< key=value words that replace the budget's
  std::string attacks;                                  ///< "": as the budget says
  std::uint64_t images_per_identity = 0;                ///< 0: what gives most pictures
  int blend_images = 16;
};

/// An arm as it is in a study.
struct PlannedArm {
  std::string name, help;
  ArmSource source = ArmSource::Photos;
  int people_per_class = 1;
};

/// One command line of the program. Stores and files that the study makes are relative to its folder.
struct StudyUnit {
  std::string id;   ///< "audit.blend-4.0": command, arm or model, seed
  std::string arm;  ///< "" for a FaceMAE, which several arms may need
  std::uint64_t seed = 0;
  std::vector<std::string> words;
  std::vector<std::string> needs;  ///< ids that must be done before
  bool operator==(const StudyUnit&) const = default;
};

struct StudyPlan {
  std::vector<PlannedArm> arms;
  std::vector<std::uint64_t> seeds;
  std::vector<StudyUnit> units;  ///< seed by seed, arm by arm
};

/// Where a study keeps what it makes, relative to its folder.
namespace study_places {
inline constexpr const char* kUnseen = "stores/unseen";
std::string outside(const std::string& arm);
std::string model(const std::string& name, std::uint64_t seed);
std::string arm(const std::string& name,
                std::uint64_t seed);  ///< released, private, recognition, ... are in it
}  // namespace study_places

/// The smallest number that the sizes of all groups of the arms divide.
std::uint64_t common_multiple(const std::vector<std::string>& arms);
/// Checks names, seeds, settings and blends. Throws ConfigError with all that can be known without a store.
void check_study(const StudyConfig& config);
/// `share`: what every arm is made of. Throws ConfigError when a blend takes more photos of a person than there are.
StudyPlan plan_study(const StudyConfig& config, const EqualShare& share);
/// NAME and STORE of a word of `outside`. Throws ConfigError.
std::pair<std::string, std::string> outside_arm(const std::string& word);

}  // namespace facemae
