#include "trainer/study/plan.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

const StudyArm& arm_named(const std::string& name) { return row_of(study_arms(), name, "--arms"); }
const StudyModel& model_named(const std::string& name) {
  return row_of(study_models(), name, "planning a study");
}
const StudyBudget& budget_of(const StudyConfig& config) {
  return row_of(study_budgets(), config.budget, "--budget");
}

// What the study sets itself, or what distinguishes the arms.
constexpr const char* kOfPretrain[] = {
    "store",           "run",   "seed",  "mask-ratio",   "reconstruction",  "reconstruction-weight",
    "relation-weight", "blend", "code",  "blend-images", "relation-target", "linkage-weight",
    "linkage",         "json",  "fresh", "config",       "dry-run",         "normalise-patches"};
constexpr const char* kOfRecognize[] = {"store", "run", "seed", "json", "fresh", "config", "dry-run"};
constexpr const char* kOfAudit[] = {"real",           "released",   "link",        "report",  "attacks",
                                    "embedder",       "recogniser", "distractors", "teacher", "from",
                                    "training-store", "seed",       "json"};

Settings budget_settings(const char* words, std::span<const char* const> reserved) {
  auto all = split(words, ' ');
  std::erase(all, "");
  return settings_from(all, "--budget", reserved);
}

Settings pretrain_settings(const StudyConfig& config) {
  return merged(budget_settings(budget_of(config).pretrain, kOfPretrain),
                settings_from(config.pretrain, "--pretrain", kOfPretrain));
}
Settings recognize_settings(const StudyConfig& config) {
  return merged(budget_settings(budget_of(config).recognize, kOfRecognize),
                settings_from(config.recognize, "--recognize", kOfRecognize));
}

bool asks_for(const std::string& attacks, const std::string& one) {
  const auto listed = split(attacks, ',');
  return attacks == "all" || std::find(listed.begin(), listed.end(), one) != listed.end();
}

std::string id_of(const char* command, const std::string& what, std::uint64_t seed) {
  return fmt::format("{}.{}.{}", command, what, seed);
}

/// Writes the units of one study.
class StudyPlanner {
 public:
  StudyPlanner(const StudyConfig& config, const EqualShare& share)
      : config_(config),
        share_(share),
        pretrain_(pretrain_settings(config)),
        recognize_(recognize_settings(config)),
        audit_(merged(budget_settings(budget_of(config).audit, kOfAudit),
                      settings_from(config.audit, "--audit", kOfAudit))),
        attacks_(config.attacks.empty() ? budget_of(config).attacks : config.attacks),
        with_real_(std::find(config.arms.begin(), config.arms.end(), "real") != config.arms.end()) {}

  void add_seed(StudyPlan& plan, std::uint64_t seed) const {
    std::set<std::string> models;
    for (const auto& name : config_.arms) {
      const StudyArm& arm = arm_named(name);
      if (*arm.model != '\0' && models.insert(arm.model).second)
        plan.units.push_back(pretraining(model_named(arm.model), seed));
      if (arm.source != ArmSource::Photos) plan.units.push_back(release(arm, seed));
      add_utility(plan, name, arm.source == ArmSource::Photos ? study_places::kUnseen : released(name, seed),
                  seed);
      if (arm.source != ArmSource::Photos) plan.units.push_back(audit(arm, seed));
    }
    for (const auto& word : config_.outside) {
      const std::string name = outside_arm(word).first;
      add_utility(plan, name, study_places::outside(name), seed);
    }
  }

 private:
  static std::string released(const std::string& arm, std::uint64_t seed) {
    return study_places::arm(arm, seed) + "/released";
  }
  static std::string recognition(const std::string& arm, std::uint64_t seed) {
    return study_places::arm(arm, seed) + "/recognition";
  }

  /// The words of a row of a table, with what they stand for.
  void append_row(std::vector<std::string>& words, const char* row) const {
    for (const auto& word : split(row, ' ')) {
      if (word == "@IMAGES")
        words.push_back(std::to_string(config_.blend_images));
      else if (word == "@TRAIN")
        words.push_back(config_.train);
      else if (!word.empty())
        words.push_back(word);
    }
  }

  StudyUnit pretraining(const StudyModel& model, std::uint64_t seed) const {
    StudyUnit unit{.id = id_of("pretrain", model.name, seed),
                   .arm = "",
                   .seed = seed,
                   .words = {"pretrain", "--store", config_.train, "--run",
                             study_places::model(model.name, seed), "--seed", std::to_string(seed)},
                   .needs = {}};
    append_words(unit.words, pretrain_);
    append_row(unit.words, model.words);
    return unit;
  }

  StudyUnit release(const StudyArm& arm, std::uint64_t seed) const {
    const std::string place = study_places::arm(arm.name, seed);
    StudyUnit unit{
        .id = id_of("reconstruct", arm.name, seed),
        .arm = arm.name,
        .seed = seed,
        .words = {"reconstruct", "--store", study_places::kUnseen, "--out", released(arm.name, seed),
                  "--private", place + "/private", "--json", place + "/released.json",
                  "--images-per-identity",
                  std::to_string(static_cast<std::uint64_t>(arm.people_per_class) * share_.images)},
        .needs = {}};
    if (*arm.model != '\0') {
      unit.words.insert(unit.words.end(), {"--from", study_places::model(arm.model, seed)});
      unit.needs.push_back(id_of("pretrain", arm.model, seed));
    }
    append_row(unit.words, arm.words);
    return unit;
  }

  void add_utility(StudyPlan& plan, const std::string& arm, const std::string& store,
                   std::uint64_t seed) const {
    StudyUnit training{.id = id_of("recognize", arm, seed),
                       .arm = arm,
                       .seed = seed,
                       .words = {"recognize", "--store", store, "--run", recognition(arm, seed), "--seed",
                                 std::to_string(seed)},
                       .needs = {}};
    append_words(training.words, recognize_);
    const std::string release = id_of("reconstruct", arm, seed);
    if (!plan.units.empty() && plan.units.back().id == release) training.needs.push_back(release);
    StudyUnit test{.id = id_of("evaluate", arm, seed),
                   .arm = arm,
                   .seed = seed,
                   .words = {"evaluate", "--from", recognition(arm, seed), "--json",
                             study_places::arm(arm, seed) + "/utility.json"},
                   .needs = {training.id}};
    if (config_.bins.empty()) {
      test.words.insert(test.words.end(), {"--store", config_.held_out, "--pairs", config_.pairs});
    } else {
      test.words.emplace_back("--bin");
      test.words.insert(test.words.end(), config_.bins.begin(), config_.bins.end());
    }
    plan.units.push_back(std::move(training));
    plan.units.push_back(std::move(test));
  }

  /// Those who know FaceMAE know nothing of an arm that was made without.
  std::string attacks_on(const StudyArm& arm) const {
    std::vector<std::string> attacks;
    for (const auto& id : split(attacks_, ','))
      if (*arm.model != '\0' || (trim(id) != "A11" && trim(id) != "A12")) attacks.push_back(id);
    return join(attacks, ",");
  }

  StudyUnit audit(const StudyArm& arm, std::uint64_t seed) const {
    const std::string place = study_places::arm(arm.name, seed);
    StudyUnit unit{.id = id_of("audit", arm.name, seed),
                   .arm = arm.name,
                   .seed = seed,
                   .words = {"audit", "--real", study_places::kUnseen, "--released", released(arm.name, seed),
                             "--link", place + "/private", "--report", place + "/audit", "--seed",
                             std::to_string(seed), "--attacks", attacks_on(arm)},
                   .needs = {id_of("reconstruct", arm.name, seed)}};
    if (attacks_ == "standard" || asks_for(attacks_, "A4")) {  // what anybody can train
      unit.words.insert(unit.words.end(), {"--recogniser", recognition(arm.name, seed)});
      unit.needs.push_back(id_of("recognize", arm.name, seed));
    }
    if (with_real_) {  // an attacker who has trained on photos of these very people
      unit.words.insert(unit.words.end(),
                        {"--embedder", recognition("real", seed), "--teacher", recognition("real", seed)});
      unit.needs.push_back(id_of("recognize", "real", seed));
    }
    if (!config_.held_out.empty())  // people who are in no release
      unit.words.insert(unit.words.end(), {"--distractors", config_.held_out});
    const bool has_model = *arm.model != '\0';
    if (has_model && (asks_for(attacks_, "A11") || asks_for(attacks_, "A12")))
      unit.words.insert(unit.words.end(), {"--from", study_places::model(arm.model, seed)});
    if (has_model && asks_for(attacks_, "A11"))
      unit.words.insert(unit.words.end(), {"--training-store", config_.train});
    append_words(unit.words, audit_);
    return unit;
  }

  const StudyConfig& config_;
  EqualShare share_;
  Settings pretrain_, recognize_, audit_;
  std::string attacks_;
  bool with_real_;
};

void check_blend(const StudyArm& arm, int images) {
  if (arm.blends && images % arm.people_per_class != 0)
    throw ConfigError(fmt::format(
        "--blend-images {}: {} takes as many photos of each of its {} people: use a multiple of {}", images,
        arm.name, arm.people_per_class, arm.people_per_class));
}

}  // namespace

namespace study_places {
std::string outside(const std::string& arm) { return "stores/" + arm; }
std::string model(const std::string& name, std::uint64_t seed) {
  return fmt::format("models/{}.{}", name, seed);
}
std::string arm(const std::string& name, std::uint64_t seed) { return fmt::format("arms/{}.{}", name, seed); }
}  // namespace study_places

std::pair<std::string, std::string> outside_arm(const std::string& word) {
  const auto equals = word.find('=');
  const std::string name = word.substr(0, equals);
  if (equals == std::string::npos || name.empty() || equals + 1 == word.size() ||
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") !=
          std::string::npos)
    throw ConfigError("--arm " + word +
                      " is not NAME=STORE with a name of letters, digits, hyphens and underscores");
  return {name, word.substr(equals + 1)};
}

std::uint64_t common_multiple(const std::vector<std::string>& arms) {
  std::uint64_t multiple = 1;
  for (const auto& name : arms)
    multiple = std::lcm(multiple, static_cast<std::uint64_t>(arm_named(name).people_per_class));
  return multiple;
}

void check_study(const StudyConfig& config) {
  std::set<std::string> seen{"unseen"};  // stores/unseen is the study's own
  for (const auto& name : config.arms) {
    check_blend(arm_named(name), config.blend_images);
    if (!seen.insert(name).second) throw ConfigError("--arms: \"" + name + "\" is named twice");
  }
  for (const auto& word : config.outside) {
    const std::string name = outside_arm(word).first;
    if (!seen.insert(name).second)
      throw ConfigError("--arm " + word + ": there is an arm \"" + name + "\" already: use another name");
  }
  pretrain_settings(config);
  recognize_settings(config);
  settings_from(config.audit, "--audit", kOfAudit);
}

StudyPlan plan_study(const StudyConfig& config, const EqualShare& share) {
  check_study(config);
  StudyPlan plan;
  for (const auto& name : config.arms) {
    const StudyArm& arm = arm_named(name);
    const auto of_each = static_cast<std::uint64_t>(config.blend_images / arm.people_per_class);
    if (arm.blends && of_each > share.images)
      throw ConfigError(fmt::format(
          "{} takes {} photos of each of its {} people for a picture, but {} of each are there: lower "
          "--blend-images to {}, or leave the arm out",
          name, of_each, arm.people_per_class, share.images,
          share.images * static_cast<std::uint64_t>(arm.people_per_class)));
    plan.arms.push_back({name, arm.help, arm.source, arm.people_per_class});
  }
  for (const auto& word : config.outside) {
    const auto [name, store] = outside_arm(word);
    plan.arms.push_back({name, "another set: " + store, ArmSource::Outside, 1});
  }
  const int seeds = config.seeds == 0 ? budget_of(config).seeds : config.seeds;
  const StudyPlanner planner(config, share);
  for (int s = 0; s < seeds; ++s) {
    plan.seeds.push_back(config.seed + static_cast<std::uint64_t>(s));
    planner.add_seed(plan, plan.seeds.back());
  }
  return plan;
}

}  // namespace facemae
