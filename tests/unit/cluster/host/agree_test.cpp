#include "cluster/host/agree.h"

#include <gmock/gmock.h>

#include <map>

#include "cluster/host/gather.h"

namespace facemae {
namespace {

using testing::HasSubstr;

TEST(AgreedError, OfAKnownErrorHasItsCodeItsKindAndItsPlace) {
  const DataError known("shard 3 is torn");
  const AgreedError agreed(known);
  EXPECT_STREQ(agreed.what(), "shard 3 is torn");
  EXPECT_EQ(agreed.code(), ExitCode::BadData);
  EXPECT_EQ(agreed.kind(), "DataError");
  EXPECT_EQ(agreed.place(), known.place());
  EXPECT_EQ(AgreedError(ConfigError("")).code(), ExitCode::BadConfiguration);
  EXPECT_EQ(AgreedError(FileError("", EIO)).kind(), "FileError");
}

TEST(Together, KeepsThePlaceAtWhichARankFailedFirst) {
  AloneControl control;
  const ConfigError known("no such store");
  const auto places_of = [&](const std::function<void()>& work) {
    try {
      together(control, work);
    } catch (const AgreedError& error) {
      EXPECT_STREQ(error.what(), "no such store");
      EXPECT_EQ(error.code(), ExitCode::BadConfiguration);
      return error.place();
    }
    return std::string("it did not fail");
  };
  EXPECT_EQ(places_of([&] { throw known; }), known.place());
  EXPECT_EQ(places_of([&] { together(control, [&] { throw known; }); }), known.place());
  EXPECT_THAT(known.place(), HasSubstr("agree_test.cpp:"));
}

TEST(Gather, CarriesTextsThatAreNotUtf8AndListsOfPairs) {
  AloneControl control;
  const std::string bytes("a\0\xff\xc3(", 5);
  EXPECT_EQ(gather(control, bytes), std::vector<std::string>{bytes});
  EXPECT_EQ(broadcast(control, bytes), bytes);
  const std::map<std::size_t, std::string> list = {{3, "torn"}, {1ULL << 60, "\xff"}};
  EXPECT_EQ(broadcast(control, list), list);
  EXPECT_EQ(broadcast(control, std::map<std::size_t, std::string>()).size(), 0U);
  EXPECT_EQ(unpacked<double>(packed(0.1)), 0.1);
}

}  // namespace
}  // namespace facemae
