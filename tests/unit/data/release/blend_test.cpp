#include "data/release/blend.h"

#include <gmock/gmock.h>

#include <map>
#include <numeric>
#include <set>

#include "core/error.h"
#include "core/random/keys.h"
#include "tests/unit/data/release/released.h"

namespace facemae {
namespace {

using namespace released;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(Blend, IsReadFromItsOption) {
  EXPECT_EQ(blend_from("people:4", 16, 2), (Blend{.people = 4, .images = 16, .min_people = 2}));
  EXPECT_EQ(blend_from("photos", 5, 1), (Blend{.people = 1, .images = 5, .min_people = 1}));
  for (const char* text : {"people", "people:", "people:0", "people:4x", "people:-2", "faces:4", ""})
    EXPECT_THAT([&] { blend_from(text, 16, 1); }, ThrowsMessage<ConfigError>(HasSubstr("people:K"))) << text;
  EXPECT_THAT([] { blend_from("people:3", 16, 1); },
              ThrowsMessage<ConfigError>(HasSubstr("16 must be a multiple of 3")));
  EXPECT_THAT([] { blend_from("people:4", 16, 5); }, ThrowsMessage<ConfigError>(HasSubstr("give 1 to 4")));
  EXPECT_THROW(blend_from("people:4", 16, 0), ConfigError);
}

TEST(Blend, DealsEveryPhotoAboutAsOftenAndNoneTwiceToAPicture) {
  Draws draws(5);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::uint64_t> photos(1 + draws.below(9));
    std::iota(photos.begin(), photos.end(), std::uint64_t{100});
    const std::uint64_t each = 1 + draws.below(photos.size()), pictures = 1 + draws.below(20);
    const SecretKey key{{static_cast<std::uint8_t>(round)}};
    const auto dealt = deal_photos(photos, each, pictures, key);
    ASSERT_EQ(dealt.size(), each * pictures);
    std::map<std::uint64_t, int> uses;
    for (const auto row : photos) uses[row] = 0;
    for (std::uint64_t picture = 0; picture < pictures; ++picture) {
      const auto first = dealt.begin() + static_cast<std::ptrdiff_t>(picture * each);
      const std::set<std::uint64_t> own(first, first + static_cast<std::ptrdiff_t>(each));
      EXPECT_EQ(own.size(), each);
      for (const auto row : own) ++uses.at(row);
    }
    const auto [least, most] = std::minmax_element(
        uses.begin(), uses.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    EXPECT_LE(most->second - least->second, 1);
    EXPECT_EQ(dealt, deal_photos(photos, each, pictures, key));
  }
  EXPECT_NE(deal_photos({1, 2, 3, 4, 5, 6, 7, 8}, 4, 4, SecretKey{{1}}),
            deal_photos({1, 2, 3, 4, 5, 6, 7, 8}, 4, 4, SecretKey{{2}}));
}

TEST(Blend, MakesClassesOfExactlyKPeopleFromAsManyPhotosOfEach) {
  const TemporaryFolder folder;
  Draws draws(11);
  for (int round = 0; round < 6; ++round) {
    const std::uint64_t people = 2 + draws.below(3), each = 1 + draws.below(3);
    std::vector<std::uint64_t> counts(people * (1 + draws.below(3)) + draws.below(4));
    for (auto& count : counts) count = 1 + draws.below(6);
    counts.resize(counts.size() + people, 5);  // so that there is a class
    const std::string name = std::to_string(round);
    const auto source = make_store(folder / ("source" + name), counts);
    const Blend blend{.people = people, .images = people * each};
    const auto able = static_cast<std::uint64_t>(
        std::count_if(counts.begin(), counts.end(), [&](auto count) { return count >= each; }));
    const Path hidden = folder / ("hidden" + name), out = folder / ("out" + name);
    const auto plan = release(*source, out, hidden, "", 0, blend);
    EXPECT_EQ(plan.identities, static_cast<std::int64_t>(able / people));

    const auto link = read_link(hidden);
    const auto released = Store::open(out);
    ASSERT_EQ(link.pictures(), released->size());
    std::map<std::int64_t, std::set<std::int64_t>> classes;
    std::map<std::int64_t, int> sizes;
    for (std::uint64_t picture = 0; picture < link.pictures(); ++picture) {
      std::map<std::int64_t, std::set<std::uint64_t>> contributors;
      for (const auto row : link.sources_of(picture)) contributors[source->label(row)].insert(row);
      EXPECT_EQ(contributors.size(), people);
      for (const auto& [person, photos] : contributors) {
        EXPECT_EQ(photos.size(), each);
        classes[released->label(picture)].insert(person);
      }
      ++sizes[released->label(picture)];
    }
    std::set<std::int64_t> all;
    for (const auto& [label, members] : classes) {
      EXPECT_EQ(members.size(), people) << "the same people in all pictures of a class";
      EXPECT_EQ(sizes[label], sizes[0]);
      all.insert(members.begin(), members.end());
    }
    EXPECT_EQ(all.size(), people * classes.size()) << "nobody is in two classes";
  }
}

TEST(Blend, HasAsManyPicturesAsOriginalsUnlessToldOtherwise) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", {6, 6, 6, 6});
  const Blend blend{.people = 2, .images = 4};
  EXPECT_EQ(release(*source, folder / "out", folder / "hidden", "", 0, blend).pictures(), 24U);
  EXPECT_EQ(release(*source, folder / "out2", folder / "hidden2", "", 5, blend).pictures(), 10U);
}

TEST(Blend, SaysWhenThereAreTooFewPeople) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", {6, 6, 1, 1});
  EXPECT_THAT(
      [&] { begin(folder / "hidden", folder / "out", *source, "", 0, Blend{.people = 3, .images = 6}); },
      ThrowsMessage<ConfigError>(HasSubstr("2 of its 4 people have 2 photos each")));
  EXPECT_FALSE(std::filesystem::exists(folder / "hidden"));
}

}  // namespace
}  // namespace facemae
