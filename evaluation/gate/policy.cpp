#include "evaluation/gate/policy.h"

#include <algorithm>
#include <chrono>
#include <regex>

#include "core/error.h"
#include "core/files/files.h"
#include "core/log.h"
#include "core/random/secret.h"
#include "core/text.h"
#include "evaluation/gate/strict_fields.h"

namespace facemae {
namespace {

constexpr const char* kBlocks[] = {"linkability",     "singling_out", "inference",
                                   "irreversibility", "metadata",     "utility"};

bool is_date(const std::string& text) {
  static const std::regex form(R"((\d{4})-(\d\d)-(\d\d))");
  std::smatch parts;
  if (!std::regex_match(text, parts, form)) return false;
  return std::chrono::year_month_day(std::chrono::year(std::stoi(parts[1])),
                                     std::chrono::month(static_cast<unsigned>(std::stoul(parts[2]))),
                                     std::chrono::day(static_cast<unsigned>(std::stoul(parts[3]))))
      .ok();
}

Requirement read_requirement(StrictFields fields, const std::string& block, const std::string& recipient) {
  Requirement requirement{.block = block};
  requirement.metric = fields.text("metric", names_of(metric_kinds()));
  requirement.attacks = fields.texts("attacks", names_of(attack_ids()), std::vector<std::string>{});
  if (fields.has("max")) requirement.max = fields.number("max", -1, 1e6);
  if (fields.has("min")) requirement.min = fields.number("min", -1, 1e6);
  if (fields.has("recipient_research_max")) {
    const double relaxed = fields.number("recipient_research_max", -1, 1e6);
    if (recipient == "research") requirement.max = relaxed;
  }
  requirement.rate = fields.number(fields.has("far") ? "far" : "fpr", 0, 1, 0);
  requirement.percent = fields.number("percent", 0, 100, 1);
  requirement.gallery = fields.count("gallery", 0, 0);
  requirement.person_pairs_min = fields.count("person_pairs_min", 0, 0);
  requirement.gate = fields.flag("gate", true);
  if (requirement.max.has_value() == requirement.min.has_value())
    fields.fault(fields.place_of("max") + " or min: one of them must be there");
  for (const MetricKind& kind : metric_kinds())
    if (kind.name == requirement.metric && kind.of_attacks == requirement.attacks.empty())
      fields.fault(fields.place_of("attacks") +
                   (kind.of_attacks ? " is missing: the metric is of attacks"
                                    : " must not be there: the metric is of no single attack"));
  fields.no_others();
  return requirement;
}

ControlRule read_control(StrictFields fields, bool positive) {
  ControlRule control{.name = fields.text("name"), .attacks = {}, .positive = positive};
  auto allowed = names_of(attack_ids());
  allowed.emplace_back("all");
  control.attacks = fields.texts("attacks", allowed, std::vector<std::string>{});
  if (control.attacks == std::vector<std::string>{"all"}) control.attacks.clear();
  if (positive) {
    control.min = fields.number("min", 0, 1);
  } else if (!fields.flag("covers_chance")) {
    fields.fault(fields.place_of("covers_chance") +
                 " must be true: it is what a negative control is judged by");
  }
  fields.no_others();
  return control;
}

std::optional<DpClaim> read_claim(StrictFields fields) {
  constexpr double kLeastDelta = 1e-30;  // Gaussian noise has no epsilon at delta 0
  const bool claimed = fields.flag("claimed");
  const std::vector<std::string> all = {"unit", "mu", "epsilon", "delta", "composition", "sampler"};
  for (const std::string& name : all)
    if (claimed != fields.has(name))
      fields.fault(fields.place_of(name) + (claimed ? " is missing: a claim has all of its fields"
                                                    : " must be null as long as nothing is claimed"));
  DpClaim claim{.unit = fields.text("unit", {"photo", "person"}, "photo"),
                .composition = fields.text("composition", {}, ""),
                .sampler = fields.text("sampler", {}, ""),
                .mu = fields.number("mu", 0, 1e6, 0),
                .epsilon = fields.number("epsilon", 0, 1e6, 0),
                .delta = fields.number("delta", kLeastDelta, 1, kLeastDelta)};
  fields.no_others();
  return claimed ? std::optional(claim) : std::nullopt;
}

void read_threat(StrictFields fields, Policy::Threat& threat) {
  threat.gallery = fields.text("gallery", {"source_photos", "other_photos"});
  threat.also = fields.text("also", {"source_photos", "other_photos"}, "");
  threat.holder = fields.text("holder", {}, "");
  threat.pairs = fields.texts("pairs");
  for (const std::string& count : threat.pairs)
    if (count != "all" && (count.empty() || count.find_first_not_of("0123456789") != std::string::npos))
      fields.fault(fmt::format("{}: \"{}\" is neither a number of pairs nor \"all\"",
                               fields.place_of("pairs"), count));
  threat.weights_known = fields.flag("weights_known");
  threat.mechanism_known = fields.flag("mechanism_known");
  threat.secret_known = fields.flag("secret_known");
  if (threat.secret_known)
    fields.fault(fields.place_of("secret_known") +
                 " must be false: whoever has the secret of a release can name everybody in it");
  fields.no_others();
}

void read_sample(StrictFields fields, Policy::Sample& sample) {
  sample.people_min = fields.count("people_min", 1);
  sample.people_effective_min = fields.number("people_effective_min", 0, 1e12);
  sample.nonmembers_min = fields.count("nonmembers_min", 0);
  sample.attacker_people_min = fields.count("attacker_people_min", 0);
  fields.no_others();
}

void read_rest(StrictFields& whole, Policy& policy) {
  StrictFields licence = whole.object("licence");
  policy.source_allows_derivatives = licence.flag("source_allows_derivatives");
  policy.licence_statement = licence.text("statement");
  licence.no_others();
  StrictFields partition = whole.object("partition");
  policy.frozen_with = partition.text("frozen_with", {}, "");
  policy.second_release = partition.text("second_release", {"never", "same_partition_only", "if_measured"});
  partition.no_others();
  StrictFields reports = whole.object("reports");
  policy.pictures = reports.text("pictures", {"none", "released"});
  reports.no_others();
  policy.valid_until = whole.text("valid_until");
  if (!is_date(policy.valid_until))
    whole.fault(
        fmt::format("valid_until must be a date such as 2027-05-31, found \"{}\"", policy.valid_until));
  whole.text("on_inconclusive", {"refuse"});
}

}  // namespace

const std::vector<MetricKind>& metric_kinds() {
  using enum MetricSource;
  static const std::vector<MetricKind> kinds = {
      {"naming_odds", NamingOdds, true,
       "chance of naming a person rightly: found / people of a class, over all levels"},
      {"inversion_naming_odds", NamingOdds, true, "the same, of attacks that first invert the release"},
      {"own_picture_rank1", OwnPicture, true, "a released picture's own photo is found first"},
      {"tar_at_far", Reported, true, "true accepts at the false-accept rate `far`"},
      {"dsys", Reported, true, "D_sys of mated and other scores (Gomez-Barrero et al. 2018)"},
      {"k_min", SmallestGroup, false, "people of the smallest class"},
      {"most_exposed_percent_naming_odds", MostExposed, false,
       "naming odds of the `percent` most exposed people"},
      {"two_release_intersection_naming_odds", NamingOdds, true,
       "naming odds from several releases together"},
      {"membership_tpr", Reported, true,
       "released people told from others, at the false-positive rate `fpr`"},
      {"membership_tpr_training_people", Reported, true, "the same, of the people who trained the model"},
      {"attribute_residual_risk", Reported, true, "attributes inferred beyond what non-members give away"},
      {"exact_links", Reported, true, "links by metadata alone"},
      {"accuracy_difference_to_plain", Reported, false, "verification accuracy less that of a plain release"},
  };
  return kinds;
}

const std::vector<Named<int>>& attack_ids() {
  static const std::vector<Named<int>> kinds = {
      {"A0", 0}, {"A1", 1}, {"A2", 2},   {"A3", 3},   {"A4", 4},   {"A5", 5},   {"A6", 6},  {"A7", 7},
      {"A8", 8}, {"A9", 9}, {"A10", 10}, {"A11", 11}, {"A12", 12}, {"A13", 13}, {"A14", 14}};
  return kinds;
}

Policy policy_from(const std::string& text, const std::string& origin) {
  std::vector<std::string> faults;
  const nlohmann::json json = parse_strictly(text, origin, faults);
  StrictFields whole(json, "", faults);
  Policy policy;
  whole.count("facemae_policy", 1);
  if (json.value("facemae_policy", nlohmann::json()) != 1)
    whole.fault("facemae_policy must be 1: the version of the form");
  policy.name = whole.text("name");
  policy.recipient = whole.text("recipient", {"public", "research", "internal"});
  policy.alpha = whole.number("alpha", 1e-6, 0.2);
  read_threat(whole.object("threat"), policy.threat);
  read_sample(whole.object("sample"), policy.sample);
  StrictFields blocks = whole.object("require");
  for (const char* block : kBlocks)
    for (const StrictFields& fields : blocks.objects(block, true))
      policy.requirements.push_back(read_requirement(fields, block, policy.recipient));
  blocks.no_others();
  if (std::none_of(policy.requirements.begin(), policy.requirements.end(),
                   [](const Requirement& requirement) { return requirement.gate; }))
    whole.fault("require has no requirement that is judged: such a policy lets everything pass");
  constexpr const char* kOfSeveral = "two_release_intersection_naming_odds";
  const bool measures_several =
      std::any_of(policy.requirements.begin(), policy.requirements.end(),
                  [&](const Requirement& one) { return one.gate && one.metric == kOfSeveral; });
  StrictFields controls = whole.object("controls");
  for (const StrictFields& fields : controls.objects("positive"))
    policy.controls.push_back(read_control(fields, true));
  for (const StrictFields& fields : controls.objects("negative"))
    policy.controls.push_back(read_control(fields, false));
  controls.no_others();
  policy.dp = read_claim(whole.object("dp"));
  read_rest(whole, policy);
  if (policy.second_release == "if_measured" && !measures_several)
    whole.fault(fmt::format(
        "partition.second_release is \"if_measured\", but no requirement has the metric {} to measure it by",
        kOfSeveral));
  whole.no_others();
  if (!faults.empty())
    throw ConfigError(fmt::format("the policy {} is refused:\n  {}", origin, join(faults, "\n  ")));
  policy.digest = fmt::format("{:02x}", fmt::join(blake2b(bytes_of(json.dump())).bytes, ""));
  return policy;
}

Policy read_policy(const std::string& file) { return policy_from(read_file(file), file); }

}  // namespace facemae
