#include "data/image/image_kind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/why.h"

namespace facemae {
namespace {

using testing::HasSubstr;
using namespace std::string_literals;

std::string verdict_on(const std::string& bytes) {
  return test::why<DataError>([&] { codec_of(bytes_of(bytes)); });
}

TEST(ImageKind, WhatIsNoPictureForUsIsNamedWithItsCure) {
  EXPECT_THAT(verdict_on("\0\0\0\x18"s + "ftypheic\0\0\0\0"s),
              HasSubstr("a HEIC picture (16 bytes): convert it to"));
  EXPECT_THAT(verdict_on("\0\0\0\x18"s + "ftypavif"), HasSubstr("an AVIF picture"));
  EXPECT_THAT(verdict_on("GIF89a..."), HasSubstr("a GIF picture"));
  EXPECT_THAT(verdict_on("II*\0...."s), HasSubstr("a TIFF"));
  EXPECT_THAT(verdict_on("MM\0*...."s), HasSubstr("a TIFF"));
  EXPECT_THAT(verdict_on("\0\0\0\x0CjP  \r\n"s), HasSubstr("a JPEG 2000 picture"));
  EXPECT_THAT(verdict_on("\xFF\x0A..."), HasSubstr("a JPEG XL picture"));
  EXPECT_THAT(verdict_on("%PDF-1.7"), HasSubstr("a PDF document"));
  EXPECT_THAT(verdict_on("PK\3\4...."), HasSubstr("a zip archive (8 bytes): unpack it"));
  EXPECT_THAT(verdict_on("\n <!DOCTYPE HTML><html>"), HasSubstr("an HTML page"));
  EXPECT_THAT(verdict_on("\xEF\xBB\xBF<html>"), HasSubstr("an HTML page"));
  EXPECT_THAT(verdict_on("{\"error\": \"forbidden\"}"), HasSubstr("a JSON text"));
  EXPECT_THAT(verdict_on("version https://git-lfs.github.com/spec/v1\noid"), HasSubstr("git lfs pull"));
  EXPECT_THAT(verdict_on(std::string(1000, '\0')), HasSubstr("nothing but zeros (1000 bytes)"));
  EXPECT_THAT(verdict_on(""), HasSubstr("empty (0 bytes)"));
  EXPECT_THAT(verdict_on("BMW and Audi are no pictures"),
              HasSubstr("neither JPEG nor PNG, WebP or BMP (28 bytes)"));
  EXPECT_THAT(verdict_on("RIFF....AVI LIST"), HasSubstr("a video"));
  EXPECT_THAT(verdict_on("RIFF"), HasSubstr("neither JPEG"));
}

}  // namespace
}  // namespace facemae
