#include "data/formats/shard_pattern.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace facemae {
namespace {

TEST(ShardPattern, NamesEveryShard) {
  const auto pattern = shard_pattern("faces-{000098..000101}.tar.x");
  ASSERT_TRUE(pattern);
  EXPECT_EQ(pattern->count, 4u);
  EXPECT_EQ(pattern->name(0), "faces-000098.tar.x");
  EXPECT_EQ(pattern->name(3), "faces-000101.tar.x");
  EXPECT_EQ(shard_pattern("{0..0}")->name(0), "0");
}

TEST(ShardPattern, OtherNamesAreNone) {
  for (const char* name : {"faces.tar", "faces-{}.tar", "faces-{a..b}.tar", "{0,1}.tar", "{0..}.tar", "{0..1",
                           "0..1}", "{1..12345678901234567890}", "100%.tar"})
    EXPECT_FALSE(shard_pattern(name)) << name;
}

TEST(ShardPattern, WhatWebDatasetWouldReadOtherwiseIsRefused) {
  for (const char* name :
       {"{0..10}.tar", "{9..0}.tar", "{00..01}-{00..01}.tar", "faces-%06d.tar", "faces-%d.tar"})
    EXPECT_THROW(shard_pattern(name), ConfigError) << name;
}

}  // namespace
}  // namespace facemae
