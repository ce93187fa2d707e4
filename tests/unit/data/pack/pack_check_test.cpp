#include "data/pack/pack_check.h"

#include <gtest/gtest.h>

#include <mutex>

#include "core/error.h"
#include "data/image/jpeg_markers.h"
#include "data/image/orientation.h"
#include "data/image/resize.h"
#include "data/pack/pack_stream.h"
#include "tests/unit/data/archives/fake_archives.h"
#include "tests/unit/data/image/encoded_pictures.h"
#include "tests/unit/data/image/foreign_images.h"
#include "tests/unit/data/image/test_images.h"

namespace facemae {
namespace {

using test_images::picture;

std::string verdict(const std::function<void()>& act) {
  try {
    act();
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST(Check, AgreesWithFullDecodingOnDamagedJpegs) {
  std::vector<std::vector<std::byte>> wholes;
  for (const int quality : {75, 95, 97}) wholes.push_back(encode_jpeg(picture(3, 48), quality));
  Image grey = picture(4, 48);
  for (std::size_t i = 0; i < grey.pixels.size(); i += 3)
    grey.pixels[i + 1] = grey.pixels[i + 2] = grey.pixels[i];
  wholes.push_back(encode_jpeg(grey, 90));
  Decoder decoder;
  Draws draws(11);
  int good = 0, bad = 0;
  for (int trial = 0; trial < 4000; ++trial) {
    auto bytes = wholes[draws.below(wholes.size())];
    const auto at = draws.below(bytes.size());
    switch (trial % 4) {
      case 0:
        bytes[at] ^= std::byte{static_cast<unsigned char>(1u << draws.below(8))};
        break;
      case 1:
        bytes.resize(at);
        break;
      case 2:
        std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), std::byte{0});
        break;
      default:
        for (int i = 0; i < 8; ++i)
          bytes[draws.below(bytes.size())] = std::byte{static_cast<unsigned char>(draws.next())};
    }
    std::string full, quick;
    Decoder::Header header{0, 0, Codec::Jpeg};
    full = verdict([&] {
      header = decoder.header(bytes);
      if (header.width == 48 && header.height == 48) decoder.decode(bytes);
    });
    quick = verdict([&] { decoder.check(bytes, 48, 48); });
    EXPECT_EQ(full.empty(), quick.empty())
        << "trial " << trial << ": \"" << full << "\" and \"" << quick << "\"";
    ++(full.empty() ? good : bad);
  }
  EXPECT_GT(good, 200);
  EXPECT_GT(bad, 1000);
}

TEST(Check, LooksAtTheHeaderAloneWhenTheSizeIsAnother) {
  auto large = encode_jpeg(picture(1, 40));
  large.resize(large.size() * 3 / 4);
  Decoder decoder;
  EXPECT_EQ(decoder.check(large, 32, 32).width, 40);
  EXPECT_NE(verdict([&] { decoder.check(large, 40, 40); }), "");
  const auto png = encode_png(picture(2));
  EXPECT_EQ(decoder.check(png, 32, 32).codec, Codec::Png);
  EXPECT_NE(verdict([&] { decoder.check(Bytes(png).first(png.size() - 30), 32, 32); }), "");
}

TEST(ImageChecker, SaysOfWhatKindARejectIs) {
  ImageChecker checker(32, false), resizing(32, true);
  EXPECT_EQ(kind_of_reject(checker.check(encode_jpeg(picture(1, 40))).reject), "another size");
  EXPECT_EQ(kind_of_reject(checker.check({}).reject), "does not decode");
  const auto kept = checker.check(encode_jpeg(picture(1), 95));
  EXPECT_EQ(kept.bytes, encode_jpeg(picture(1), 95));
  EXPECT_EQ(kept.flags & kFlagReencoded, 0);
  const auto fitted = resizing.check(encode_jpeg(picture(1, 40)));
  EXPECT_EQ(fitted.reject, "");
  EXPECT_NE(fitted.flags & kFlagReencoded, 0);
  EXPECT_EQ(Decoder().header(fitted.bytes).width, 32);
}

TEST(ImageChecker, AnImageOnItsSideIsTurnedOrRefusedWithTheCure) {
  ImageChecker checker(32, false), resizing(32, true);
  const auto upright = encode_jpeg(picture(1), 97), jpeg = encoded_pictures::with_exif(upright, 6);
  const auto png = encoded_pictures::with_chunks(
      encode_png(picture(2)), {encoded_pictures::chunk("eXIf", encoded_pictures::exif(3))});
  for (const auto& bytes : {jpeg, png}) {
    const std::string reject = checker.check(bytes).reject;
    EXPECT_EQ(kind_of_reject(reject), "not upright");
    EXPECT_NE(reject.find("--resize turns it upright"), std::string::npos) << reject;
    const auto made = resizing.check(bytes);
    EXPECT_EQ(made.reject, "");
    EXPECT_NE(made.flags & kFlagReencoded, 0);
    EXPECT_EQ(orientation_of(made.bytes), 1);
    EXPECT_EQ(ImageChecker(32, false).check(made.bytes).reject, "") << "it is upright now";
  }
  EXPECT_EQ(resizing.check(png).bytes, encode_png(turned(picture(2), 3)));
  EXPECT_EQ(resizing.check(jpeg).bytes, encode_jpeg(turned(Decoder().decode(upright), 6)));
  const auto harmless = encoded_pictures::with_exif(upright, 1);
  for (ImageChecker* each : {&checker, &resizing}) EXPECT_EQ(each->check(harmless).bytes, harmless);
  const auto large = encoded_pictures::with_exif(encode_jpeg(picture(3, 64), 97), 8);
  EXPECT_EQ(kind_of_reject(checker.check(large).reject), "another size");
  EXPECT_EQ(resizing.check(large).bytes, encode_jpeg(resize(turned(Decoder().decode(large), 8), 32, 32)));
}

TEST(ImageChecker, WhatAStoreDoesNotHoldBecomesAPngThatHasLostNothing) {
  for (const bool resize : {false, true}) {
    ImageChecker checker(16, resize);
    int found = 0;
    for (const auto& foreign : foreign_images::kAll) {
      if (!std::string(foreign.name).ends_with(".webp")) continue;
      ++found;
      const auto webp = foreign_images::bytes_of_hex(foreign.hex);
      const auto made = checker.check(webp);
      EXPECT_EQ(made.bytes, encode_png(Decoder().decode(webp))) << foreign.name << made.reject;
      EXPECT_EQ(made.flags, static_cast<int>(Subsampling::None) | kFlagReencoded);
      const auto smaller = ImageChecker(8, true).check(webp);
      EXPECT_EQ(Decoder().header(smaller.bytes).codec,
                foreign.name == std::string("lossy.webp") ? Codec::Jpeg : Codec::Png);
    }
    EXPECT_EQ(found, 3);
    const auto bmp =
        encoded_pictures::bmp(16, 16, 24, 0, {}, {}, std::vector<std::byte>(16 * 48, std::byte{7}));
    EXPECT_EQ(checker.check(bmp).bytes, encode_png(Decoder().decode(bmp)));
  }
}

class Streaming : public testing::Test {
 protected:
  Streaming() {
    test_images::put_faces(here_ / "faces", 4, 25);
    test_images::put(here_ / "faces/id-0/broken.jpg", bytes_of("no image"));
    faces_ = folder_source({here_ / "faces"});
    archives_ = std::make_unique<fake_archives::Archives>(*faces_, 1);
  }
  test_images::TemporaryFolder here_;
  std::unique_ptr<ImageSource> faces_;
  std::unique_ptr<fake_archives::Archives> archives_;
};

TEST_F(Streaming, HandsOnEveryImageOnceWithAnyNumberOfThreads) {
  for (const int threads : {1, 2, 5}) {
    std::map<std::uint64_t, PreparedImage> got;
    const bool whole = stream_archive(
        *archives_, 0, 32, false, threads,
        [&](std::uint64_t entry, PreparedImage image) {
          EXPECT_TRUE(got.emplace(entry, std::move(image)).second) << entry;
        },
        [] { return true; });
    EXPECT_TRUE(whole);
    ASSERT_EQ(got.size(), 101u);
    for (const auto& [entry, image] : got) {
      EXPECT_EQ(image.reject.empty(), faces_->name(entry) != "id-0/broken.jpg");
      if (image.reject.empty()) {
        EXPECT_EQ(image.bytes, faces_->read(entry));
      }
    }
  }
}

TEST_F(Streaming, EndsEarlyWhenAskedToAndPassesFailuresOn) {
  for (const int threads : {1, 4}) {
    int asked = 0;
    std::atomic<int> taken{0};
    EXPECT_FALSE(stream_archive(
        *archives_, 0, 32, false, threads, [&](std::uint64_t, const PreparedImage&) { ++taken; },
        [&] { return ++asked < 30; }));
    EXPECT_EQ(asked, 30);
    EXPECT_LE(taken, 30);
    EXPECT_THROW(stream_archive(
                     *archives_, 0, 32, false, threads,
                     [](std::uint64_t, const PreparedImage&) { throw FileError("the disk is full", ENOSPC); },
                     [] { return true; }),
                 FileError);
  }
}

}  // namespace
}  // namespace facemae
