#include "data/upkeep/store_join.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "data/store/manifest.h"
#include "data/upkeep/store_tools.h"
#include "data/upkeep/store_verify.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/unit/data/store/small_store.h"
#include "tests/why.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing_stores::make_store;
using testing_stores::planted_name;
using testing_stores::TemporaryFolder;
using testing_stores::tiny_picture;

/// Other pictures of identities with the same names; `unnamed`, as a release is.
std::shared_ptr<const Store> other_store(const Path& folder, std::vector<std::uint64_t> counts,
                                         std::uint64_t content) {
  return make_store(folder, std::move(counts), 16,
                    [content](std::uint64_t row) { return tiny_picture(content + row); });
}

class JoinStoresTest : public ::testing::Test {
 protected:
  JoinStoresTest()
      : a_(make_store(here_ / "a", {20, 9})),
        b_(other_store(here_ / "b", {5, 4, 11}, 1000)),
        both_{here_ / "a", here_ / "b"} {}
  std::string refused(const JoinConfig& config) {
    return test::why<ConfigError>([&] { join_stores(real_files(), both_, here_ / "refused", config); });
  }
  TemporaryFolder here_;
  std::shared_ptr<const Store> a_, b_;
  std::vector<Path> both_;
};

TEST_F(JoinStoresTest, HoldsAllImagesSideBySideWithLabelsOfTheirOwn) {
  const JoinPlan plan = join_stores(real_files(), both_, here_ / "out", {.prefixes = {"left", "right"}});
  EXPECT_EQ(plan.shared, 0);
  const auto out = Store::open(here_ / "out");
  ASSERT_EQ(out->size(), 49u);
  EXPECT_EQ(out->identities(), 5);
  EXPECT_EQ(out->identity_name(1), "left/" + planted_name(1));
  EXPECT_EQ(out->identity_name(2), "right/" + planted_name(0));
  EXPECT_EQ(out->source_licence(), "for research only");
  EXPECT_FALSE(out->released());
  std::vector<std::byte> mine, theirs;
  for (std::uint64_t row = 0; row < out->size(); ++row) {
    const bool first = row < a_->size();
    const Store& part = first ? *a_ : *b_;
    const std::uint64_t there = first ? row : row - a_->size();
    part.read(there, theirs);
    out->read(row, mine);
    ASSERT_EQ(mine, theirs) << row;
    ASSERT_EQ(out->label(row), part.label(there) + (first ? 0 : 2)) << row;
  }
  a_.reset(), b_.reset();
  fs::remove_all(here_ / "a"), fs::remove_all(here_ / "b");
  EXPECT_TRUE(verify_store(here_ / "out").good());
}

TEST_F(JoinStoresTest, JoinsPeopleOfEqualNamesOnlyWhenToldTo) {
  EXPECT_THAT(refused({}), testing::AllOf(HasSubstr(planted_name(0)), HasSubstr("--same-people")));
  const JoinPlan plan = join_stores(real_files(), both_, here_ / "out", {.same_people = true});
  EXPECT_EQ(plan.shared, 2);
  const auto out = Store::open(here_ / "out");
  EXPECT_EQ(out->identities(), 3);
  EXPECT_EQ(out->rows_of(0).size(), 25u);
  EXPECT_EQ(out->rows_of(2).size(), 11u);
}

TEST_F(JoinStoresTest, RefusesWhatCannotLieSideBySide) {
  EXPECT_THAT(refused({.prefixes = {"one"}}), HasSubstr("one for each store"));
  both_ = {here_ / "a", here_ / "a"};
  EXPECT_THAT(refused({.same_people = true}), HasSubstr("twice"));
  both_ = {here_ / "a"};
  EXPECT_THAT(refused({}), HasSubstr("at least two"));
  both_ = {here_ / "a", here_ / "b"};
  join_stores(real_files(), both_, here_ / "refused", {.prefixes = {"a", "b"}});
  EXPECT_THAT(refused({.prefixes = {"b", "a"}}), HasSubstr("another store is there"));
}

TEST_F(JoinStoresTest, TakesViewsAndGoesOnWhereAKilledStartStopped) {
  select_from_store(real_files(), *b_, {.identities = {true, false, true}}, here_ / "view");
  both_.back() = here_ / "view";
  const JoinConfig config{.same_people = true};
  join_stores(real_files(), both_, here_ / "undisturbed", config);
  const auto meant = test_images::contents(here_ / "undisturbed");
  EXPECT_EQ(Store::open(here_ / "undisturbed")->size(), 29u + 16u);
  int kills = 0;
  for (int fatal = 1;; fatal += 3) {
    fs::remove_all(here_ / "out");
    test_images::DyingFiles dying(fatal);
    try {
      join_stores(dying, both_, here_ / "out", config);
    } catch (const FileError&) {
      ++kills;
    }
    join_stores(real_files(), both_, here_ / "out", config);
    ASSERT_EQ(test_images::contents(here_ / "out"), meant) << "killed at operation " << fatal;
    if (!dying.died()) break;
  }
  EXPECT_GT(kills, 4);
}

}  // namespace
}  // namespace facemae
