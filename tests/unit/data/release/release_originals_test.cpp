#include "data/release/release_originals.h"

#include <gmock/gmock.h>

#include "core/error.h"
#include "tests/temporary_folder.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// 150 images in all, of which the first is number `first` of all pictures that there are.
std::shared_ptr<const Store> store_from(const Path& folder, std::uint64_t first) {
  return testing_stores::make_store(
      folder, {75, 75}, 1000, [=](std::uint64_t row) { return testing_stores::tiny_picture(first + row); });
}

TEST(OtherPeople, MayShareAPictureThatIsUnderTwoNames) {
  const test::TemporaryFolder folder;
  const auto one = store_from(folder / "one", 0);
  const auto expect = [&](std::uint64_t first) {
    const auto other = store_from(folder / std::to_string(first), first);
    expect_other_people({"--one", *one}, {"--other", *other}, "these are the same people");
  };
  expect(150);
  expect(149);
  EXPECT_THAT([&] { expect(148); },
              ThrowsMessage<ConfigError>(testing::AllOf(HasSubstr("2 of 150 images of --one"),
                                                        HasSubstr("--other"), HasSubstr("the same people"))));
}

TEST(OtherPeople, AreNoneInAStoreThatHoldsAnother) {
  const test::TemporaryFolder folder;
  const auto large = store_from(folder / "large", 0);
  const auto small = testing_stores::make_store(folder / "small", {1});
  for (const auto& [one, other] : {std::pair(large, small), {small, large}})
    EXPECT_THROW(expect_other_people({"--one", *one}, {"--other", *other}, ""), ConfigError);
}

}  // namespace
}  // namespace facemae
