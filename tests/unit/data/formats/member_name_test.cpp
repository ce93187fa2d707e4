#include "data/formats/member_name.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace facemae {
namespace {

using std::string_view_literals::operator""sv;

TEST(MemberName, IdentityIsTheLastFolder) {
  const MemberImage expected{"0_0", "1.jpg"};
  for (const auto path : {"0_0/1.jpg", "./0_0/1.jpg", "WebFace260M/0_0/1.jpg", "a/b//c/0_0/./1.jpg"})
    EXPECT_EQ(image_of_member(member_path(path)), expected) << path;
  EXPECT_EQ(image_of_member(member_path("a..b/..jpg.png")), (MemberImage{"a..b", "..jpg.png"}));
}

TEST(MemberName, WhatIsNoImageIsPassedOver) {
  for (const auto path : {"", "A/", "A/1.jpg/", "A/1.txt", "A/jpg", "A/.jpg", "A/._1.jpg", "__MACOSX/A/1.jpg",
                          "A/__MACOSX/1.jpg", ".git/1.jpg", "A/.ipynb_checkpoints/1.jpg", "1.txt", "./"})
    EXPECT_EQ(image_of_member(member_path(path)), std::nullopt) << path;
}

TEST(MemberName, EveryWayOutIsRefused) {
  for (const auto path :
       {"../A/1.jpg"sv, "A/../1.jpg"sv, ".."sv, "A/.."sv, "A/../"sv, "/A/1.jpg"sv, "/"sv, "//A/1.jpg"sv,
        "C:/A/1.jpg"sv, "c:1.txt"sv, "A\\1.jpg"sv, "..\\A/1.jpg"sv, "A/1.jpg\0.txt"sv, "\0"sv})
    EXPECT_THROW(member_path(path), DataError) << path;
}

TEST(MemberName, AnImageOutsideAnyFolderHasNoIdentity) {
  for (const auto path : {"1.jpg", "./1.jpg", ".//1.jpg"})
    EXPECT_EQ(image_of_member(member_path(path)), (MemberImage{"", "1.jpg"})) << path;
}

TEST(MemberName, EndingsCountInAnyCase) {
  for (const auto name :
       {"1.jpg", "1.JPG", "1.jpeg", "1.Png", "a.b.jpg", "1.jpe", "1.JFIF", "1.webp", "1.Bmp"})
    EXPECT_TRUE(is_image_name(name)) << name;
  for (const auto name : {"", ".", "jpg", ".png", "1.jp", "1.jpgx", "1.gif", "1.tiff", "1.", "._1.jpg"})
    EXPECT_FALSE(is_image_name(name)) << name;
}

}  // namespace
}  // namespace facemae
