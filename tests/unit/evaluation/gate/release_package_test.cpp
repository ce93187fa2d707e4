#include "evaluation/gate/release_package.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "core/error.h"
#include "evaluation/gate/sha256.h"
#include "tests/unit/data/release/released.h"
#include "tests/unit/evaluation/gate/small_report.h"

namespace facemae {
namespace {

using namespace released;
using namespace small_report;
using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr const char* kPolicy =
    R"({"facemae_policy": 1, "name": "test", "recipient": "research", "alpha": 0.05,
 "threat": {"gallery": "source_photos", "holder": "the vault", "pairs": ["all"], "weights_known": true, "mechanism_known": true, "secret_known": false},
 "sample": {"people_min": 100, "people_effective_min": 100, "nonmembers_min": 0, "attacker_people_min": 0},
 "require": {"linkability": [{"metric": "naming_odds", "attacks": ["A0"], "max": 0.05}]},
 "controls": {"positive": [], "negative": []}, "dp": {"claimed": false},
 "licence": {"source_allows_derivatives": true, "statement": "read by the officer"},
 "partition": {"second_release": "same_partition_only"}, "valid_until": "2030-01-01",
 "on_inconclusive": "refuse", "reports": {"pictures": "released"}})";

void write(const Path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

/// A finished release with its private folder, a report about it, and a policy that was noted beforehand.
class Packages : public testing::Test {
 protected:
  Packages() {
    source = make_store(folder / "source", {5, 7, 6});
    const ReleaseSecret secret = begin(folder / "hidden", folder / "released", *source);
    write(folder / "policy.json", kPolicy);
    {
      PrivateFolder hidden(folder / "hidden");
      note_policy(hidden, secret.uuid, read_policy(config.policy).digest);
    }
    release(*source, folder / "released", folder / "hidden");
    report = report_of(Store::open(folder / "released")->dataset_digest().hex());
    found(1);
  }
  void found(int hits) {
    report["measurements"] = {measurement("A0", "person_to_class", hits, 300)};
    write(folder / "report/report.json", report.dump());
    write(folder / "report/report.html", "<html><body>\n<p>page</p></body></html>");
  }
  Candidate judged(const std::string& today = "2026-01-01") {
    return judge_release(config, PrivateFolder(folder / "hidden"), today);
  }
  void note_settings(const std::string& text) {
    const std::string name = "settings-" + ledger(folder / "hidden").at(0).uuid + ".json";
    PrivateFolder(folder / "hidden").write(name, text);
  }
  void pack() { write_package(real_files(), config, judged()); }
  std::string text(const std::string& name) { return read_plain_file(Path(config.out) / name); }

  const TemporaryFolder folder;
  std::shared_ptr<const Store> source;
  json report;
  PackageConfig config{.released = folder / "released",
                       .audit = folder / "report",
                       .policy = folder / "policy.json",
                       .out = folder / "package"};
};

TEST_F(Packages, HaveAllThatARecipientNeeds) {
  pack();
  const json release = json::parse(text("RELEASE.json"));
  EXPECT_EQ(release.at("verdict"), "PASS");
  EXPECT_EQ(release.at("released_despite"), nullptr);
  EXPECT_EQ(release.at("policy").at("digest"), read_policy(config.policy).digest);
  EXPECT_EQ(release.at("licence").at("source"), kNotes.source_licence);
  EXPECT_EQ(release.at("valid_until"), "2030-01-01");
  EXPECT_EQ(Store::open(folder / "package/store")->size(), Store::open(config.released)->size());
  EXPECT_EQ(text("policy.json"), kPolicy);
  json packed = report;  // without what was found of each person
  for (const char* list : {"hits", "trials"}) packed["measurements"][0].erase(list);
  EXPECT_EQ(json::parse(text("report/report.json")), packed);
  EXPECT_THAT(text("report/report.html"), HasSubstr("Verdict: PASS"));
}

TEST_F(Packages, AreCheckedBySha256sum) {
  pack();
  const std::string check = "cd '" + config.out + "' && sha256sum --quiet -c SHA256SUMS >/dev/null 2>&1";
  EXPECT_EQ(std::system(check.c_str()), 0);
  const std::string sums = text("SHA256SUMS");
  for (const auto& entry : fs::recursive_directory_iterator(config.out)) {
    if (!entry.is_regular_file() || entry.path().filename() == "SHA256SUMS") continue;
    EXPECT_THAT(sums, HasSubstr("  " + entry.path().lexically_relative(config.out).string() + "\n"));
  }
  std::ofstream(Path(config.out) / "DATASHEET.md", std::ios::app) << "x";
  EXPECT_NE(std::system(check.c_str()), 0);
}

TEST_F(Packages, HoldNothingOfThePrivateFolder) {
  write(folder / "released/notes.txt", "what somebody left in the folder of the store");
  pack();
  const std::string uuid = ledger(folder / "hidden").at(0).uuid;
  const ReleaseSecret secret = load_secret(PrivateFolder(folder / "hidden"), uuid);
  std::string bytes, names;
  for (const auto& entry : fs::recursive_directory_iterator(config.out)) {
    names += entry.path().filename().string() + " ";
    if (entry.is_regular_file()) bytes += read_plain_file(entry.path());
  }
  for (const auto& entry : fs::directory_iterator(folder / "hidden"))
    EXPECT_THAT(names, testing::Not(HasSubstr(entry.path().filename().string())))
        << "a name of the private folder";
  EXPECT_THAT(bytes, testing::Not(HasSubstr(secret.key.hex())));
  EXPECT_THAT(bytes, testing::Not(HasSubstr(secret.source_digest)));
  EXPECT_THAT(bytes, testing::Not(HasSubstr(folder.path().string()))) << "a path of this machine";
  EXPECT_THAT(names, testing::Not(HasSubstr("notes.txt")));
  EXPECT_THAT(bytes, HasSubstr(uuid)) << "the test can fail: the store's own uuid is there";
}

TEST_F(Packages, CarryTheVerdictThatTheyWentAgainst) {
  found(100);
  EXPECT_EQ(judged().verdict.ruling, Ruling::Fail);
  config.despite = "ordered by a court";
  config.responsible = "J. Doe";
  pack();
  const std::string burnt = "FAIL, released on the responsibility of J. Doe: ordered by a court";
  EXPECT_EQ(json::parse(text("RELEASE.json")).at("verdict"), burnt);
  EXPECT_EQ(json::parse(text("RELEASE.json")).at("released_despite").at("reason"), "ordered by a court");
  EXPECT_THAT(text("DATASHEET.md"), HasSubstr(burnt));
  EXPECT_THAT(text("report/report.html"), HasSubstr(burnt));
}

TEST_F(Packages, HaveADataSheetThatCountsItsOpenQuestions) {
  pack();
  const std::string sheet = text("DATASHEET.md");
  std::size_t open = 0;
  for (std::size_t at = 0; (at = sheet.find("**OPEN**", at)) != std::string::npos; ++at) ++open;
  EXPECT_GE(open, 10U);
  EXPECT_THAT(sheet, HasSubstr(std::to_string(open) + " of "));
  EXPECT_THAT(sheet, HasSubstr("18 pictures of 16 x 16 pixels in 3 classes"));
  EXPECT_THAT(sheet, HasSubstr("the vault"));
}

TEST_F(Packages, AreOfTheReleaseThatWasAudited) {
  report["facts"][0]["value"] = "another";
  found(1);
  EXPECT_THROW(judged(), ConfigError);
}

TEST_F(Packages, AreNotMadeFromAnOldReport) {
  fs::last_write_time(folder / "report/report.json",
                      fs::last_write_time(folder / "released/manifest.h5") - std::chrono::seconds(5));
  EXPECT_THROW(judged(), ConfigError);
}

TEST_F(Packages, ShowNoRealFaces) {
  report["pictures"] = {"rebuilt", "original"};
  found(1);
  EXPECT_THROW(judged(), ConfigError);
}

TEST_F(Packages, KnowOtherReleasesByTheirPhotos) {
  const auto second = [&] {
    for (const VerdictRow& row : judged().verdict.rows)
      if (row.metric == "one release") return true;
    return false;
  };
  EXPECT_FALSE(second());
  const auto others = make_store(folder / "others", {4, 4}, 16,
                                 [](std::uint64_t row) { return tiny_picture(500'000 + row); });
  release(*others, folder / "released-others", folder / "hidden", "a reason that nobody asked for");
  begin(folder / "hidden", folder / "never-finished", *source, "it was given up");
  config.released = folder / "released-others";
  const auto judge_other = [&](const char* name) {
    config.released = folder / name;
    report["facts"][0]["value"] = Store::open(config.released)->dataset_digest().hex();
    found(1);
    return second();
  };
  EXPECT_FALSE(judge_other("released-others")) << "other photos, whatever the reason says";
  release(*source, folder / "released-again", folder / "hidden", "somebody left");
  EXPECT_TRUE(judge_other("released-again"));
  EXPECT_FALSE(judge_other("released")) << "it was the first";
}

TEST_F(Packages, RefuseReportsOfOlderVersions) {
  report.erase("facemae_audit");
  found(1);
  EXPECT_THROW(judged(), DataError);
}

TEST_F(Packages, AreMadeOnceAndOfReleasesOnly) {
  pack();
  EXPECT_THROW(pack(), ConfigError);
  config.released = folder / "source";
  EXPECT_THROW(judged(), ConfigError);
}

TEST_F(Packages, AreNeverOfASimpleDefence) {
  note_settings(R"({"baseline": "real"})");
  try {
    judged();
    FAIL() << "the real faces as they are would leave the house";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), HasSubstr("--baseline real"));
  }
}

TEST_F(Packages, TellANoisyCodeByTheSettingsOfTheRelease) {
  json policy = json::parse(kPolicy);
  policy["dp"] = {{"claimed", true},      {"unit", "photo"}, {"mu", 1},
                  {"epsilon", 4.4},       {"delta", 1e-5},   {"composition", "one release"},
                  {"sampler", "ChaCha20"}};
  write(folder / "policy.json", policy.dump());
  const auto row = [&] {
    for (const VerdictRow& each : judged().verdict.rows)
      if (each.block == "dp") return each;
    return VerdictRow{};
  };
  EXPECT_EQ(row().ruling, Ruling::Inconclusive);
  note_settings(R"({"code_noise": "mu:1"})");
  EXPECT_EQ(row().ruling, Ruling::Pass);
}

TEST_F(Packages, NeedThePrivateFolderOfTheRelease) {
  begin(folder / "other-hidden", folder / "other", *source);
  EXPECT_THROW(judge_release(config, PrivateFolder(folder / "other-hidden"), "2026-01-01"), ConfigError);
}

TEST_F(Packages, ThatWereInterruptedAreMadeAnew) {
  write(config.out + ".partial/store/half", "x");
  pack();
  EXPECT_FALSE(fs::exists(Path(config.out) / "store/half"));
  EXPECT_FALSE(fs::exists(config.out + ".partial"));
}

TEST(Sha256, AgreesWithTheStandard) {
  const TemporaryFolder folder;
  write(folder / "abc", "abc");  // FIPS 180-4, example of one block
  EXPECT_EQ(sha256_of(folder / "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  write(folder / "none", "");
  EXPECT_EQ(sha256_of(folder / "none"), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace facemae
