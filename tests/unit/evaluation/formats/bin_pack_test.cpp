#include "evaluation/formats/bin_pack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/unit/evaluation/formats/pickles.h"

namespace facemae {
namespace {

using namespace test_pickles;
using testing::HasSubstr;

void expect_images(const std::string& pickle) {
  const auto pack = parse_bin_pack(pickle);
  ASSERT_EQ(pack.images.size(), 4U);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(text_of(pack.images[i]), kImages[i]) << i;
  EXPECT_EQ(pack.same, (std::vector<char>{1, 0}));
}

std::string latin1_as_utf8(const std::string& bytes) {
  std::string utf8;
  for (const char letter : bytes) {
    const auto c = static_cast<std::uint8_t>(letter);
    if (c < 0x80) {
      utf8 += letter;
    } else {
      utf8 += static_cast<char>(0xC0 | c >> 6);
      utf8 += static_cast<char>(0x80 | (c & 0x3F));
    }
  }
  return utf8;
}

TEST(BinPack, ReadsStringsOfPython2) {
  expect_images(pack_of("\x80\x02", [](const std::string& image) {
    return image.size() < 256 ? "U" + number(image.size(), 1) + image : "T" + number(image.size(), 4) + image;
  }));
}

TEST(BinPack, ReadsBytesOfProtocol3) {
  expect_images(pack_of("\x80\x03", [](const std::string& image) {
    return image.size() < 256 ? "C" + number(image.size(), 1) + image : "B" + number(image.size(), 4) + image;
  }));
}

TEST(BinPack, ReadsFramesMemoAndLongBytesOfProtocols4And5) {
  for (const char protocol : {'\x04', '\x05'}) {
    const auto start = std::string("\x80") + protocol + "\x95" + number(9, 8);
    expect_images(pack_of(
        start, [](const std::string& image) { return "\x8e" + number(image.size(), 8) + image + "\x94"; }));
    expect_images(pack_of(
        start, [](const std::string& image) { return "\x96" + number(image.size(), 8) + image + "\x94"; }));
  }
}

TEST(BinPack, ReadsBytesThatPython3WroteInProtocol2) {
  int memo = 0;
  expect_images(pack_of("\x80\x02", [&](const std::string& image) {
    const std::string utf8 = latin1_as_utf8(image);
    const std::string callable =
        memo == 0 ? std::string("c_codecs\nencode\nq") + '\0' : std::string("h") + '\0';
    const std::string encoding = memo++ == 0 ? "X" + number(6, 4) + "latin1q\x01" : "h\x01";
    return callable + "X" + number(utf8.size(), 4) + utf8 + encoding + "\x86R";
  }));
}

TEST(BinPack, ReadsNumpyArraysOfOldAndNewNumpy) {
  for (const auto* home : {"numpy.core", "numpy._core"})
    expect_images(pack_of("\x80\x03", [&](const std::string& image) { return numpy_array(home, image); }));
}

TEST(BinPack, ReadsNumpyArraysOfProtocol5) {
  const auto word = [](const std::string& text) { return "\x8c" + number(text.size(), 1) + text; };
  for (const auto* home : {"numpy.core.numeric", "numpy._core.numeric"})
    expect_images(pack_of("\x80\x05", [&](const std::string& image) {
      return word(home) + word("_frombuffer") + "\x93(\x96" + number(image.size(), 8) + image +
             numpy_type("u1") + "M" + number(image.size(), 2) + "\x85" + word("C") + "tR";
    }));
}

TEST(BinPack, ReadsNumpyBoolsAndArraysOfBools) {
  const std::string zero(1, '\0');
  const std::string images =
      "\x80\x03](C\x01"
      "aC\x01"
      "bC\x01"
      "cC\x01"
      "de";
  const auto scalar = [](char value) {
    return "cnumpy.core.multiarray\nscalar\n" + numpy_type("b1") + "C\x01" + value + "\x86R";
  };
  EXPECT_EQ(parse_bin_pack(images + "](" + scalar(1) + scalar(0) + "e\x86.").same, (std::vector<char>{1, 0}));
  EXPECT_EQ(
      parse_bin_pack(images + numpy_array("numpy.core", std::string("\x00\x01", 2), "b1") + "\x86.").same,
      (std::vector<char>{0, 1}));
  EXPECT_EQ(parse_bin_pack(images + "](I01\nI00\ne\x86.").same, (std::vector<char>{1, 0}));
}

TEST(BinPack, ReadsListsThatGrowOneByOneAndSharedImages) {
  const auto pack =
      parse_bin_pack(std::string("\x80\x02]q\x01U\x03xyzq\x02"
                                 "ah\x02"
                                 "a]\x88"
                                 "a\x86q\x03.",
                                 23));
  ASSERT_EQ(pack.images.size(), 2U);
  EXPECT_EQ(text_of(pack.images[1]), "xyz");
}

TEST(BinPack, ReadsImagesHoweverPythonKeptThem) {
  const auto expect_one = [](const std::string& image) {
    const auto pack = parse_bin_pack("\x80\x04](" + image + image + "e]\x88" + "a\x86.");
    EXPECT_EQ(text_of(pack.images[0]), "x\xFF");
  };
  expect_one("cbuiltins\nbytearray\nC\x02x\xFF\x85R");  // protocol 3
  expect_one("c__builtin__\nbytearray\nX" + number(3, 4) +
             "x\xC3\xBF"
             "X" +
             number(7, 4) + "latin-1\x86R");     // and 2
  expect_one("X" + number(3, 4) + "x\xC3\xBF");  // of Python 2, read with encoding='latin1' and written again
  EXPECT_THAT(parse_fault("\x80\x04](X" + number(3, 4) +
                          "\xE2\x82\xAC"
                          "C\x01xe]\x88"
                          "a\x86."),
              HasSubstr("image 0 of pair 0 (from 0) is a text with letters that are no bytes"));
}

TEST(BinPack, ReadsAnswersHoweverNumpyKeptThem) {
  const std::string images =
      "\x80\x03](C\x01"
      "aC\x01"
      "bC\x01"
      "cC\x01"
      "de";
  const auto array = [](const std::string& type, const std::string& values) {
    const std::string zero(1, '\0');
    return "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK" + zero + "\x85" + "C\x01" +
           "b\x87R(K\x01K\x02\x85" + numpy_type(type) + "\x89" + values + "tb";
  };
  const auto raw = [](const std::string& values) { return "C" + number(values.size(), 1) + values; };
  const std::vector<char> expected = {1, 0};
  for (const int width : {1, 2, 4, 8})
    for (const char kind : {'i', 'u'})
      EXPECT_EQ(parse_bin_pack(images +
                               array(kind + std::to_string(width), raw(number(1, width) + number(0, width))) +
                               "\x86.")
                    .same,
                expected)
          << kind << width;
  EXPECT_EQ(parse_bin_pack(images + array("f4", raw(number(0x3F800000, 4) + number(0, 4))) + "\x86.").same,
            expected);
  EXPECT_EQ(
      parse_bin_pack(images + array("f8", raw(number(0x3FF0000000000000, 8) + number(0, 8))) + "\x86.").same,
      expected);
  EXPECT_EQ(parse_bin_pack(images +
                           array("O8",
                                 "](\x88\x89"
                                 "e") +
                           "\x86.")
                .same,
            expected);  // of any objects
  const auto scalar = [&](const std::string& value) {
    return "cnumpy.core.multiarray\nscalar\n" + numpy_type("i8") + raw(value) + "\x86R";
  };
  EXPECT_EQ(parse_bin_pack(images + "](" + scalar(number(1, 8)) + scalar(number(0, 8)) + "e\x86.").same,
            expected);
  EXPECT_EQ(parse_bin_pack(images + "](G\x3F\xF0" + std::string(6, '\0') + "F0.0\ne\x86.").same, expected);
  EXPECT_THAT(parse_fault(images + "](K\x01K\x02"
                                   "e\x86."),
              HasSubstr("answer 1 (from 0) is 2, expected 0 or 1"));
  EXPECT_THAT(parse_fault(images + "](K\x01X" + number(1, 4) + "1e\x86."),
              HasSubstr("answer 1 (from 0) is a text"));
  EXPECT_THAT(parse_fault(images + array("i8", raw("12345678")) + "\x86."),
              HasSubstr("should have 16 bytes and has 8"));
}

TEST(BinPack, ReadsTheOfficialSmallPack) {
  const char* shared = std::getenv("FACEMAE_SHARED_DATA");
  const Path file = Path(shared != nullptr ? shared : "") / "formats/insightface_bin/small_lfw.bin";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "the real pack is not there: " << file;
  const auto pack = read_bin_pack(file);
  EXPECT_EQ(pack.same, std::vector<char>(10, 1));
  ASSERT_EQ(pack.images.size(), 20U);
  for (const auto& image : pack.images) {
    ASSERT_GT(image.size(), 1000U);
    EXPECT_EQ(text_of(image).substr(0, 3), "\xFF\xD8\xFF");  // JPEG, whole
    EXPECT_EQ(text_of(image).substr(image.size() - 2), "\xFF\xD9");
  }
}

}  // namespace
}  // namespace facemae
