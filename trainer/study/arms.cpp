#include "trainer/study/arms.h"

#include <algorithm>
#include <array>

namespace facemae {
namespace {

constexpr Named<ArmSource> kSources[] = {{"photos", ArmSource::Photos},
                                         {"pixels", ArmSource::Pixels},
                                         {"decoder", ArmSource::Decoder},
                                         {"outside", ArmSource::Outside}};

constexpr std::array kArms = {
    StudyArm{"real", "the real faces: the ceiling of utility, and no privacy", ArmSource::Photos},
    StudyArm{"mae", "plain MAE: pixel loss alone, mask 0.75", ArmSource::Decoder, "mae"},
    StudyArm{kPlainArm, "FaceMAE: pixel loss and IRM, mask 0.75 (\"plain\" in the win rule)",
             ArmSource::Decoder, "facemae"},
    StudyArm{"irm", "IRM alone, mask 0.75", ArmSource::Decoder, "irm"},
    StudyArm{"mask-0.9", "FaceMAE trained and used at mask 0.9", ArmSource::Decoder, "mask-0.9"},
    StudyArm{kPlain95Arm, "FaceMAE trained and used at mask 0.95 (the win rule's reference of leakage)",
             ArmSource::Decoder, "mask-0.95"},
    StudyArm{"masked", "grey patches over three quarters of the real face", ArmSource::Pixels, "",
             "--baseline masked:0.75"},
    StudyArm{"blur", "Gaussian blur of the real face, sigma 4 pixels", ArmSource::Pixels, "",
             "--baseline blur:4"},
    StudyArm{"mosaic", "mosaic of the real face, blocks of 8 pixels", ArmSource::Pixels, "",
             "--baseline mosaic:8"},
    StudyArm{"noise", "Gaussian noise on the real face, sigma 32 of 255", ArmSource::Pixels, "",
             "--baseline noise:32"},
    StudyArm{"blend-photos", "a person's own photos blended: no anonymity, a negative control",
             ArmSource::Decoder, "facemae", "--blend photos --blend-images @IMAGES", 1, true},
    StudyArm{"blend-2", "people blend of 2", ArmSource::Decoder, "facemae",
             "--blend people:2 --blend-images @IMAGES", 2, true},
    StudyArm{"blend-4", "people blend of 4", ArmSource::Decoder, "facemae",
             "--blend people:4 --blend-images @IMAGES", 4, true},
    StudyArm{"blend-8", "people blend of 8", ArmSource::Decoder, "facemae",
             "--blend people:8 --blend-images @IMAGES", 8, true},
    StudyArm{"blend-20",
             "people blend of 20, where nobody is named with odds above 5 %: for 400 people and more",
             ArmSource::Decoder, "facemae", "--blend people:20 --blend-images @IMAGES", 20, true, true},
    StudyArm{"blend-aware", "people blend of 4 by a FaceMAE trained on blends", ArmSource::Decoder,
             "blend-aware", "--blend people:4 --blend-images @IMAGES", 4, true},
    StudyArm{"blend-aware-irm", "the same, trained by IRM alone, without the pixel loss", ArmSource::Decoder,
             "blend-aware-irm", "--blend people:4 --blend-images @IMAGES", 4, true},
    StudyArm{"linkage", "FaceMAE trained against attackers that link pictures with photos",
             ArmSource::Decoder, "linkage"},
    StudyArm{"blend-aware-linkage", "blend-aware, trained against such attackers, too", ArmSource::Decoder,
             "blend-aware-linkage", "--blend people:4 --blend-images @IMAGES", 4, true},
    StudyArm{"dp-code", "noisy code of 32 numbers, a photo being the unit, mu 1", ArmSource::Decoder, "code",
             "--code-noise mu:1 --code-unit photo --nuisance @TRAIN"},
};

constexpr std::array kModels = {
    StudyModel{"mae", "pixel loss alone", "--relation-weight 0"},
    StudyModel{"facemae", "pixel loss and IRM", "--relation-weight auto:0.3"},
    StudyModel{"irm", "IRM alone", "--reconstruction-weight 0 --relation-weight 1"},
    StudyModel{"mask-0.9", "pixel loss and IRM, mask 0.9", "--mask-ratio 0.9 --relation-weight auto:0.3"},
    StudyModel{"mask-0.95", "pixel loss and IRM, mask 0.95", "--mask-ratio 0.95 --relation-weight auto:0.3"},
    StudyModel{"blend-aware", "trained on blends of 4",
               "--blend people:4 --blend-images @IMAGES --relation-target blend --relation-weight auto:0.3"},
    StudyModel{"blend-aware-irm", "trained on blends of 4 by IRM alone",
               "--blend people:4 --blend-images @IMAGES --relation-target blend --reconstruction-weight 0 "
               "--relation-weight 1"},
    StudyModel{"linkage", "both losses and adversarial linkage",
               "--relation-weight auto:0.3 --linkage-weight auto:0.1"},
    StudyModel{"blend-aware-linkage", "trained on blends of 4, with adversarial linkage",
               "--blend people:4 --blend-images @IMAGES --relation-target blend --relation-weight auto:0.3 "
               "--linkage-weight auto:0.1"},
    StudyModel{"code", "a bottleneck of 32 numbers", "--code 32 --relation-weight auto:0.3"},
};

constexpr std::array kBudgets = {
    StudyBudget{
        "minutes",
        "the demo's lengths, one seed: a few minutes an arm on two cores; shows the way, proves nothing",
        "steps=500 batch=64 model=tiny patch=16 lr=1e-3 embedder-width=32 save-every=250",
        "steps=220 batch=64 network=iresnet-tiny margin=cosface margin-m=0.2 lr=0.05 save-every=220", 1,
        "standard", ""},
    StudyBudget{"small",
                "twice these lengths, five seeds: a night on a few cores, differences of two points show",
                "steps=990 batch=64 model=tiny patch=16 lr=1e-3 embedder-width=32 save-every=330",
                "steps=440 batch=64 network=iresnet-tiny margin=cosface margin-m=0.2 lr=0.05 save-every=220",
                5, "A0,A1,A2,A3,A4,A5,A6,A7,A10,A14", "pairs=all attack-budget=quick"},
    StudyBudget{"cluster", "base model and iresnet50, five seeds: GPUs, an array job or --launcher",
                "epochs=400 batch=1024 model=base patch=16", "epochs=24 batch=512 network=iresnet50", 5,
                "A0,A1,A2,A3,A4,A5,A6,A7,A9,A10,A14", "attack-network=iresnet50"},
};

}  // namespace

const char* name_of(ArmSource source) {
  for (const auto& row : kSources)
    if (row.value == source) return row.name;
  return "";
}

ArmSource arm_source_from(const std::string& name) {
  return row_of(kSources, name, "reading the source of an arm").value;
}

std::span<const StudyArm> study_arms() { return kArms; }
std::span<const StudyModel> study_models() { return kModels; }
std::span<const StudyBudget> study_budgets() { return kBudgets; }

Settings settings_from(const std::vector<std::string>& words, const std::string& option,
                       std::span<const char* const> reserved) {
  Settings settings;
  for (const auto& word : words) {
    const auto equals = word.find('=');
    const std::string key = word.substr(0, equals);
    if (key.empty() || key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos ||
        key.front() == '-')
      throw ConfigError(option + ": \"" + word +
                        "\" is not the name of an option with its value, as in steps=500");
    if (std::find(reserved.begin(), reserved.end(), key) != reserved.end())
      throw ConfigError(option + ": the study itself sets --" + key + ", so that the arms can be compared");
    settings =
        merged(std::move(settings), {{key, equals == std::string::npos ? "" : word.substr(equals + 1)}});
  }
  return settings;
}

Settings merged(Settings base, const Settings& given) {
  for (const auto& [key, value] : given) {
    const std::string instead = key == "steps" ? "epochs" : key == "epochs" ? "steps" : key;
    const auto place = std::find_if(
        base.begin(), base.end(), [&](const auto& one) { return one.first == key || one.first == instead; });
    if (place == base.end())
      base.emplace_back(key, value);
    else
      *place = {key, value};
  }
  return base;
}

void append_words(std::vector<std::string>& words, const Settings& settings) {
  for (const auto& [key, value] : settings) {
    words.push_back("--" + key);
    if (!value.empty()) words.push_back(value);
  }
}

}  // namespace facemae
