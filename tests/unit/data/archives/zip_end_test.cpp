#include "data/archives/zip_end.h"

#include <gtest/gtest.h>

#include "tests/unit/data/archives/test_zips.h"

namespace facemae {
namespace {

TEST(ZipEnd, CountsTheBytesBeforeAZip) {
  const std::vector<test_zips::Entry> one = {{"A/1.jpg", "content"}};
  for (const bool zip64 : {false, true}) {
    const std::string zip = test_zips::zip(one, {.comment = "PK\5\6", .zip64 = zip64});
    EXPECT_EQ(bytes_before_zip(bytes_of(zip), zip.size()), 0u);
    EXPECT_EQ(bytes_before_zip(bytes_of(zip), zip.size() + 1000), 1000u);
    EXPECT_TRUE(ends_as_zip(bytes_of(zip)));
  }
  const std::string counted = test_zips::zip(one, {.counted_from = 1000});
  EXPECT_EQ(bytes_before_zip(bytes_of(counted), counted.size() + 1000), 0u);
}

TEST(ZipEnd, WhatIsNoZipHasNothingBeforeIt) {
  const std::string zip = test_zips::zip({{"A/1.jpg", "content"}}, {.zip64 = true});
  for (std::size_t length = 0; length < zip.size(); ++length) {
    EXPECT_FALSE(ends_as_zip(bytes_of(zip).first(length)));
    EXPECT_FALSE(is_part_of_split_zip(bytes_of(zip).first(length)));
    EXPECT_EQ(bytes_before_zip(bytes_of(zip).first(length), length), 0u);
  }
  for (std::size_t cut = 0; cut < zip.size(); ++cut)  // a tail that begins anywhere
    EXPECT_LE(bytes_before_zip(bytes_of(zip).subspan(cut), zip.size()), zip.size());
}

TEST(ZipEnd, APartOfASplitZipHasANumber) {
  for (const bool zip64 : {false, true}) {
    std::string zip = test_zips::zip({{"A/1.jpg", "content"}}, {.zip64 = zip64});
    EXPECT_FALSE(is_part_of_split_zip(bytes_of(zip)));
    const std::size_t disk = zip.find("PK\5\6") + 4;
    zip[disk] = 3;
    EXPECT_TRUE(is_part_of_split_zip(bytes_of(zip)));
    zip[disk] = zip[disk + 1] = '\xff';  // too large for this field, or told by a zip64's locator
    EXPECT_EQ(is_part_of_split_zip(bytes_of(zip)), !zip64);
    if (!zip64) continue;
    zip[zip.find("PK\6\7") + 16] = 4;  // files in all
    EXPECT_TRUE(is_part_of_split_zip(bytes_of(zip)));
  }
}

}  // namespace
}  // namespace facemae
