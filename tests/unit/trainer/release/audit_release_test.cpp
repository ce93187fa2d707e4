#include "trainer/release/audit_release.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include "core/error.h"
#include "data/release/release.h"
#include "tests/unit/cluster/world/fake_back_end.h"
#include "tests/unit/data/store/small_store.h"
#include "tests/unit/trainer/apply/small_model.h"
#include "trainer/release/rebuild_release.h"

namespace facemae {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class AuditedRelease : public testing::Test {
 protected:
  void SetUp() override {
    torch::set_num_threads(1);
    testing_stores::make_store(folder_ / "s", {4, 3, 2});
    test::write_model(folder_ / "mae.safetensors", test::small_model());
    release("out", "hidden");
  }
  void release(const std::string& out, const std::string& hidden) {
    const auto world = World::open(test::mpi_alone(), {.device = "cpu"});
    rebuild_release(*world,
                    {.store = folder_ / "s",
                     .out = folder_ / out,
                     .private_folder = folder_ / hidden,
                     .from = folder_ / "mae.safetensors"},
                    [] {});
  }
  AuditConfig config() {
    return {.real = folder_ / "s",
            .released = folder_ / "out",
            .link = folder_ / "hidden",
            .report = folder_ / "report",
            .attacks = "A0,A1,A2,A10,A14"};
  }
  test::TemporaryFolder folder_;
  std::unique_ptr<World> world_ = World::open(test::mpi_alone(), {.device = "cpu"});
};

TEST_F(AuditedRelease, LeavesAReportOfEveryAttack) {
  auto asked = config();
  asked.note = "a note";
  int claimed = 0;
  const Report report = audit_release(asked, *world_, [&] { ++claimed; });
  EXPECT_EQ(claimed, 1);
  EXPECT_EQ(report.attacks.size(), 8U) << "four pixel attackers, and each on the mosaics";
  EXPECT_FALSE(report.findings.measurements.empty());
  EXPECT_EQ(report.metadata.size(), 7U);
  const auto json = to_json(report);
  EXPECT_EQ(json["headline"]["people"], 3);
  EXPECT_EQ(json["measurements"][0]["hits"].size(), 3U);
  EXPECT_EQ(report.facts.front().second, "9");
  EXPECT_EQ(report.facts.back(), std::pair(std::string("note"), std::string("a note")));
  EXPECT_EQ(read_file(folder_ / "report" / "report.json"), to_json(report).dump(2) + "\n");
  EXPECT_THAT(read_file(folder_ / "report" / "report.html"),
              HasSubstr("Linkage audit of a rebuilt face set"));
}

TEST_F(AuditedRelease, LooksForThePeopleOfABlend) {
  const auto world = World::open(test::mpi_alone(), {.device = "cpu"});
  rebuild_release(*world,
                  {.store = folder_ / "s",
                   .out = folder_ / "blend",
                   .private_folder = folder_ / "blend-hidden",
                   .from = folder_ / "mae.safetensors",
                   .blend = blend_from("people:2", 2, 1)},
                  [] {});
  auto asked = config();
  asked.released = folder_ / "blend";
  asked.link = folder_ / "blend-hidden";
  asked.attacks = "A0";
  const Report report = audit_release(asked, *world_, [] {});
  ASSERT_FALSE(report.findings.measurements.empty());
  for (const Measurement& row : report.findings.measurements) {
    EXPECT_NE(row.level, Level::OwnPicture);  // a picture has several originals
    EXPECT_EQ(row.people_per_class, row.control == kOtherPhoto ? 1 : 2);
  }
}

TEST_F(AuditedRelease, TeachesAttackersFromAReleaseOfOtherPeople) {
  testing_stores::make_store(folder_ / "own", {4, 4, 4}, 16,
                             [](std::uint64_t row) { return testing_stores::tiny_picture(500 + row); });
  const auto world = World::open(test::mpi_alone(), {.device = "cpu"});
  rebuild_release(*world,
                  {.store = folder_ / "own",
                   .out = folder_ / "own-out",
                   .private_folder = folder_ / "own-hidden",
                   .from = folder_ / "mae.safetensors"},
                  [] {});
  auto asked = config();
  asked.attacks = "A1";
  asked.attacker_store = folder_ / "own";
  asked.attacker_released = folder_ / "own-out";
  EXPECT_THAT([&] { audit_release(asked, *world_, [] {}); },
              ThrowsMessage<ConfigError>(HasSubstr("belong together")));
  asked.attacker_link = folder_ / "own-hidden";
  const Report report = audit_release(asked, *world_, [] {});
  ASSERT_FALSE(report.findings.measurements.empty());
  for (const Measurement& row : report.findings.measurements) {
    EXPECT_EQ(row.attack, "A1");
    EXPECT_EQ(row.control.empty() ? row.pairs : "all", "all");
  }
  asked.attacker_store = asked.real;
  EXPECT_THAT([&] { audit_release(asked, *world_, [] {}); },
              ThrowsMessage<ConfigError>(HasSubstr("other people only")));
}

TEST_F(AuditedRelease, RefusesAMistakeBeforeItWorks) {
  auto asked = config();
  asked.attacks = "A77";
  EXPECT_THAT([&] { audit_release(asked, *world_, [] {}); }, ThrowsMessage<ConfigError>(HasSubstr("A77")));
  asked = config();
  asked.pairs = "100;500";
  EXPECT_THAT([&] { audit_release(asked, *world_, [] {}); },
              ThrowsMessage<ConfigError>(HasSubstr("--pairs")));
}

TEST_F(AuditedRelease, RefusesStoresThatAreNotOfTheLink) {
  release("other", "elsewhere");
  testing_stores::make_store(folder_ / "strangers", {4, 3, 3});
  auto real = config(), link = config();
  real.real = folder_ / "strangers";
  link.link = folder_ / "elsewhere";
  EXPECT_THAT([&] { audit_release(real, *world_, [] {}); },
              ThrowsMessage<ConfigError>(HasSubstr("--real is not the store that was rebuilt")));
  EXPECT_THAT([&] { audit_release(link, *world_, [] {}); },
              ThrowsMessage<ConfigError>(HasSubstr("--link belongs to another release")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "report" / "report.json"));
}

}  // namespace
}  // namespace facemae
