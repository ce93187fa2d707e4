#include "data/release/partition.h"

#include <gmock/gmock.h>

#include <map>
#include <numeric>
#include <set>

#include "core/error.h"
#include "data/upkeep/store_tools.h"
#include "tests/unit/data/release/released.h"

namespace facemae {
namespace {

using namespace released;
using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

const Blend kPairs{.people = 2, .images = 2};

/// A store of these people: person p has the pictures 100 p, 100 p + 1, ...
std::shared_ptr<const Store> store_of(const Path& folder, const std::vector<std::uint64_t>& people,
                                      std::uint64_t photos = 3) {
  // Rows run over the people in turn.
  return make_store(folder, std::vector<std::uint64_t>(people.size(), photos), 16, [&](std::uint64_t row) {
    return tiny_picture(100 * people[row % people.size()] + row / people.size());
  });
}

using People = std::set<std::set<std::uint64_t>>;
/// The classes of a release, by the numbers of store_of().
People classes_in(const ReleasePlan& plan, const std::vector<std::uint64_t>& people) {
  std::map<std::int64_t, std::set<std::uint64_t>> classes;
  for (std::size_t picture = 0; picture < plan.pictures(); ++picture)
    for (std::size_t i = 0; i < plan.photos; ++i)
      classes[plan.labels[picture]].insert(
          people[plan.source_rows[picture * plan.photos + i] % people.size()]);
  People all;
  for (const auto& [label, members] : classes) all.insert(members);
  return all;
}

class FrozenPartition : public testing::Test {
 protected:
  People release_of(const std::vector<std::uint64_t>& people, const std::string& name,
                    const std::string& reason = "") {
    const auto source = store_of(folder_ / ("source-" + name), people);
    return classes_in(release(*source, folder_ / name, hidden_, reason, 0, kPairs), people);
  }
  ReleaseSecret secret_of(std::size_t entry) {
    const PrivateFolder folder(hidden_);
    return load_secret(folder, read_ledger(folder).at(entry).uuid);
  }
  void expect_refused(const Store& source, const std::optional<Blend>& blend, const std::string& said) {
    for (const char* reason : {"", "a good one"})
      EXPECT_THAT([&] { begin(hidden_, folder_ / "refused", source, reason, 0, blend); },
                  ThrowsMessage<ReleaseRefused>(HasSubstr(said)));
  }
  const TemporaryFolder folder_;
  const Path hidden_ = folder_ / "hidden";
};

TEST_F(FrozenPartition, HoldsInEveryLaterReleaseHoweverPeopleAreLabelled) {
  const auto first = release_of({1, 2, 3, 4, 5, 6, 7, 8}, "first");
  EXPECT_EQ(first.size(), 4U);
  const ReleaseSecret one = secret_of(0);
  EXPECT_EQ(release_of({7, 3, 8, 1, 2, 6, 5, 4}, "second", "again"), first);
  const ReleaseSecret two = secret_of(1);
  EXPECT_EQ(two.mask_key(), one.mask_key()) << "one mask a photo for ever";
  EXPECT_NE(two.key, one.key);
  // The digest is that of the file, which nothing has changed.
  const std::string digest = SecretKey{blake2b(bytes_of(read_file(hidden_ / "partition.h5"))).bytes}.hex();
  EXPECT_EQ(ledger(hidden_)[0].partition, digest);
  EXPECT_EQ(ledger(hidden_)[1].partition, digest);
  EXPECT_THAT(read_file(folder_ / "first" / "RELEASE.md"), HasSubstr(digest));
}

TEST_F(FrozenPartition, PutsNewPeopleAmongThemselves) {
  const auto first = release_of({1, 2, 3, 4}, "first");
  const auto more = release_of({1, 2, 3, 4, 11, 12, 13, 14, 15}, "more", "more people");
  EXPECT_EQ(more.size(), 4U) << "one is left over";
  for (const auto& members : first) EXPECT_TRUE(more.contains(members));
  // Whoever was left over may form a class later.
  EXPECT_EQ(release_of({1, 2, 3, 4, 11, 12, 13, 14, 15, 16}, "all", "one more").size(), 5U);
}

TEST_F(FrozenPartition, LeavesOutAClassThatLacksSomebody) {
  const auto first = release_of({1, 2, 3, 4, 5, 6}, "first");
  const auto now = release_of({2, 3, 4, 5, 6, 20}, "later", "somebody left");
  EXPECT_EQ(now.size(), 2U) << "who is left over is not put with somebody new";
  for (const auto& members : now) {
    EXPECT_TRUE(first.contains(members));
    EXPECT_FALSE(members.contains(1));
  }
  const auto gone = store_of(folder_ / "halves", [&] {
    std::vector<std::uint64_t> one_of_each;
    for (const auto& members : first) one_of_each.push_back(*members.begin());
    return one_of_each;
  }());
  EXPECT_THAT([&] { begin(hidden_, folder_ / "refused", *gone, "some left", 0, kPairs); },
              ThrowsMessage<ReleaseRefused>(HasSubstr("every class of the partition")));
}

TEST_F(FrozenPartition, IsTheOnlyOneThatAnyReasonPermits) {
  const std::vector<std::uint64_t> people{1, 2, 3, 4, 5, 6};
  release_of(people, "first");
  const auto source = store_of(folder_ / "again", people);
  const std::string why = "no reason permits it";
  expect_refused(*source, std::nullopt, why);
  expect_refused(*source, Blend{.people = 1, .images = 2}, why);
  expect_refused(*source, Blend{.people = 3, .images = 3}, why);
  // Nor with some of the people, nor with photos of theirs that no picture was made of.
  select_from_store(real_files(), *source,
                    {.identities = {true, false, false, false, false, false}, .images_per_identity = 1},
                    folder_ / "few");
  expect_refused(*Store::open(folder_ / "few"), std::nullopt, why);
  const auto others = store_of(folder_ / "others", {21, 22, 23, 24, 25, 26});
  expect_refused(*others, Blend{.people = 3, .images = 3}, "has a partition into classes of 2");
  EXPECT_NO_THROW(begin(hidden_, folder_ / "plain", *others)) << "other people, one a class";
}

TEST_F(FrozenPartition, IsNotMadeOfPeopleWhoWereReleasedOneByOne) {
  const std::vector<std::uint64_t> people{1, 2, 3, 4};
  const auto source = store_of(folder_ / "source", people);
  release(*source, folder_ / "plain", hidden_);
  expect_refused(*source, kPairs, "in classes of one person");
  EXPECT_FALSE(std::filesystem::exists(hidden_ / "partition.h5"));
}

TEST_F(FrozenPartition, LetsAReleaseGoOnAsItWasBegun) {
  const std::vector<std::uint64_t> people{1, 2, 3, 4, 5};  // one is left over
  const auto source = store_of(folder_ / "source", people);
  const auto secret = begin(hidden_, folder_ / "out", *source, "", 0, kPairs);
  const auto plan = plan_of(hidden_, *source, secret, 0, kPairs);
  EXPECT_EQ(plan.identities, 2);
  // Killed here; then a release with one more person, who forms a class with who was left over.
  EXPECT_EQ(release_of({1, 2, 3, 4, 5, 6}, "more", "one more").size(), 3U);
  const auto again = begin(hidden_, folder_ / "out", *source, "", 0, kPairs);
  EXPECT_EQ(again.uuid, secret.uuid);
  const auto same = plan_of(hidden_, *source, again, 0, kPairs);
  EXPECT_EQ(same.source_rows, plan.source_rows);
  EXPECT_EQ(same.labels, plan.labels);
}

TEST_F(FrozenPartition, IsMissedWhenItIsLost) {
  release_of({1, 2, 3, 4}, "first");
  const auto source = store_of(folder_ / "again", {1, 2, 3, 4});
  const std::string whole = read_file(hidden_ / "partition.h5");
  std::filesystem::resize_file(hidden_ / "partition.h5", whole.size() - 8);
  EXPECT_THROW(begin(hidden_, folder_ / "second", *source, "again", 0, kPairs), DataError);
  std::filesystem::remove(hidden_ / "partition.h5");
  EXPECT_THAT([&] { begin(hidden_, folder_ / "second", *source, "again", 0, kPairs); },
              ThrowsMessage<DataError>(AllOf(HasSubstr("is missing"), HasSubstr("restore it"))));
}

Hash256 photo(std::uint8_t n) { return {{n}}; }

TEST(Recognising, FollowsMostPhotosAndGivesNobodyTwoPeople) {
  const Partition partition{.key = SecretKey{{1}},
                            .people_per_group = 2,
                            .people = {{photo(1), photo(2), photo(3)}, {photo(11), photo(12)}}};
  const std::vector<Hash256> originals{photo(1),  photo(2), photo(11), photo(99), photo(3),
                                       photo(12), photo(4), photo(50), photo(51)};
  const Recognised seen =
      recognise(partition,
                {{.label = 0, .rows = {0, 1, 2, 3}},  // two of the first, one of the second
                 {.label = 1, .rows = {4, 6}},        // one of the first: the other is he
                 {.label = 2, .rows = {5}},
                 {.label = 3, .rows = {7, 8}}},
                originals);
  EXPECT_EQ(seen.rows, (std::vector<std::vector<std::uint64_t>>{{0, 1, 3}, {5}}));
  ASSERT_EQ(seen.unknown.size(), 1U);
  EXPECT_EQ(seen.unknown[0].label, 3);

  Partition longer = partition;
  extend(longer, seen, originals);
  EXPECT_EQ(longer.groups(), 1U) << "one new person is no class";
  EXPECT_EQ(longer.people[0].size(), 4U) << "a new photo of somebody known is known from now on";
  const auto whole = groups_in(longer, 1, seen, 1), torn = groups_in(longer, 1, seen, 2);
  EXPECT_EQ(whole.groups.size(), 1U);
  EXPECT_EQ(whole.torn, 0U);
  EXPECT_EQ(torn.groups.size(), 0U);
  EXPECT_EQ(torn.torn, 1U);
}

}  // namespace
}  // namespace facemae
