#include "evaluation/gate/policy.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace facemae {
namespace {

using nlohmann::json;
using testing::HasSubstr;

json built_in(const std::string& name) {
  return json::parse(row_of(built_in_policies(), name, "a test").text);
}

std::string faults_of(const json& policy) {
  try {
    policy_from(policy.dump(), "p.json");
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Policy, ThatIsBuiltInIsRead) {
  for (const BuiltInPolicy& own : built_in_policies()) {
    const Policy policy = policy_from(own.text, own.name);
    EXPECT_FALSE(policy.requirements.empty());
    EXPECT_EQ(policy.digest.size(), 64U);
    EXPECT_FALSE(policy.dp.has_value());
    EXPECT_FALSE(policy.source_allows_derivatives) << "a person has to read the licence first";
  }
  const Policy open = policy_from(row_of(built_in_policies(), "public", "a test").text, "public");
  EXPECT_EQ(open.requirements[0].metric, "naming_odds");
  EXPECT_EQ(open.requirements[0].max, 0.05);
  EXPECT_EQ(open.threat.pairs, (std::vector<std::string>{"100", "500", "all"}));
}

TEST(Policy, ForResearchMayAllowMore) {
  json policy = built_in("research");
  EXPECT_EQ(policy_from(policy.dump(), "p").requirements[0].max, 0.09);
  policy["recipient"] = "public";
  EXPECT_EQ(policy_from(policy.dump(), "p").requirements[0].max, 0.05);
}

TEST(Policy, HasADigestOfWhatItSaysAndNotOfItsBlanks) {
  json policy = built_in("public");
  const std::string digest = policy_from(policy.dump(), "p").digest;
  EXPECT_EQ(policy_from(policy.dump(7), "p").digest, digest);
  policy["require"]["linkability"][0]["max"] = 0.06;
  EXPECT_NE(policy_from(policy.dump(), "p").digest, digest);
}

TEST(Policy, TellsAllFaultsAtOnceWithTheNearestNames) {
  json policy = built_in("public");
  policy["recipent"] = "public";
  policy["alpha"] = "small";
  policy["sample"]["people_min"] = -3;
  policy["require"]["linkability"][0]["attack"] = "A1";
  policy["require"]["linkability"][1]["metric"] = "own_picture_rank";
  policy["valid_until"] = "2027-02-30";
  policy["threat"]["secret_known"] = true;
  policy.erase("licence");
  const std::string faults = faults_of(policy);
  EXPECT_THAT(faults, HasSubstr("recipent is unknown: did you mean recipient?"));
  EXPECT_THAT(faults, HasSubstr("alpha must be a number from 1e-06 to 0.2, found \"small\""));
  EXPECT_THAT(faults, HasSubstr("sample.people_min must be a whole number from 1 on, found -3"));
  EXPECT_THAT(faults, HasSubstr("require.linkability[0].attack is unknown: did you mean attacks?"));
  EXPECT_THAT(
      faults,
      HasSubstr(
          "require.linkability[1].metric: \"own_picture_rank\" is unknown: did you mean own_picture_rank1?"));
  EXPECT_THAT(faults, HasSubstr("valid_until must be a date"));
  EXPECT_THAT(faults, HasSubstr("threat.secret_known must be false"));
  EXPECT_THAT(faults, HasSubstr("licence is missing"));
}

TEST(Policy, ThatCannotBeMeantIsRefused) {
  const auto with = [](const std::function<void(json&)>& change) {
    json policy = built_in("public");
    change(policy);
    return faults_of(policy);
  };
  EXPECT_THAT(with([](json& p) { p["require"] = json::object(); }), HasSubstr("lets everything pass"));
  EXPECT_THAT(with([](json& p) {
                p["require"] = {{"utility", p["require"]["utility"]}};
              }),
              HasSubstr("lets everything pass"));
  EXPECT_THAT(with([](json& p) { p["require"]["linkability"][0]["min"] = 0.1; }),
              HasSubstr("one of them must be there"));
  EXPECT_THAT(with([](json& p) { p["require"]["linkability"][0].erase("attacks"); }),
              HasSubstr("the metric is of attacks"));
  EXPECT_THAT(with([](json& p) { p["require"]["singling_out"][0]["attacks"] = {"A1"}; }),
              HasSubstr("of no single attack"));
  EXPECT_THAT(with([](json& p) { p["dp"]["epsilon"] = 1; }),
              HasSubstr("must be null as long as nothing is claimed"));
  EXPECT_THAT(with([](json& p) { p["dp"]["claimed"] = true; }),
              HasSubstr("dp.mu is missing: a claim has all of its fields"));
  EXPECT_THAT(with([](json& p) { p["facemae_policy"] = 2; }), HasSubstr("the version of the form"));
  EXPECT_THAT(with([](json& p) { p["controls"]["negative"][0]["covers_chance"] = false; }),
              HasSubstr("must be true"));
  EXPECT_THAT(with([](json& p) { p["threat"]["pairs"] = {"many"}; }), HasSubstr("neither a number of pairs"));
  EXPECT_EQ(with([](json&) {}), "");
  EXPECT_THROW(policy_from("{\"alpha\": 0.05, ", "p"), ConfigError);
  EXPECT_THROW(policy_from("[1]", "p"), ConfigError);
  EXPECT_THROW(policy_from("{\"a\":" + std::string(100000, '['), "p"), ConfigError);
}

TEST(Policy, ThatSaysSomethingTwiceIsRefused) {
  std::string text = built_in("public").dump();
  text.insert(1, "\"alpha\":0.1,");
  try {
    policy_from(text, "p");
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"alpha\" is there twice"));
  }
}

}  // namespace
}  // namespace facemae
