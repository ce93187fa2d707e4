#include "evaluation/formats/bin_pack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/error.h"
#include "core/random/keys.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

using testing::HasSubstr;

/// `width` bytes, little endian.
std::string number(std::uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}
std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::string parse_fault(const std::string& pickle) {
  try {
    parse_bin_pack(pickle);
  } catch (const DataError& error) {
    return error.what();
  }
  return "nothing was refused";
}

const std::string kImages[] = {std::string("\xFF\xD8 one \x00\x80\xC3\xA9", 11), "two",
                               std::string(300, '\xE4'), "\n4."};

/// (images, [True, False]) with each image as `encode` writes it.
template <class Encode>
std::string pack_of(const std::string& start, Encode encode) {
  std::string pickle = start + "](";
  for (const auto& image : kImages) pickle += encode(image);
  return pickle + "e](\x88\x89" + "e\x86.";
}

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

/// numpy's type object u1 or b1, as Python 3 writes it.
std::string numpy_type(const std::string& name) {
  return "cnumpy\ndtype\nX" + number(2, 4) + name + "\x89\x88\x87R(K\x03X" + number(1, 4) + "|NNNJ" +
         number(0xFFFFFFFF, 4) + "J" + number(0xFFFFFFFF, 4) + "K" + std::string(1, '\0') + "tb";
}
std::string numpy_array(const std::string& home, const std::string& image, const std::string& type = "u1") {
  const std::string zero(1, '\0');
  return "c" + home + ".multiarray\n_reconstruct\ncnumpy\nndarray\nK" + zero + "\x85" + "C\x01" +
         "b\x87R(K\x01M" + number(image.size(), 2) + "K\x01\x86" + numpy_type(type) + "\x89" + "B" +
         number(image.size(), 4) + image + "tb";
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

TEST(BinPack, TellsHowPythonRewritesWhatIsNotUnderstood) {
  for (const std::string& pickle :
       {std::string("\x80\x06."), std::string("\x80\x04}X\x01", 5) + std::string(3, '\0') + "aNs."})
    EXPECT_THAT(parse_fault(pickle),
                HasSubstr("pickle.dump((images, same), open('OUT.bin', 'wb'), protocol=4)"));
  EXPECT_THAT(parse_fault(std::string("\x80\x04}X\x01", 5) + std::string(3, '\0') + "aNs."),
              HasSubstr("opcode 0x73 SETITEM"));
  EXPECT_THAT(parse_fault("\x80\x02"
                          "cos\nsystem\n)R."),
              testing::Not(HasSubstr("pickle.load")))
      << "no good advice there";
}

TEST(BinPack, SaysWhatElseAFileIs) {
  const test::TemporaryFolder folder;
  const auto fault = [&](const std::string& bytes) -> std::string {
    std::ofstream(folder.path() / "a.bin") << bytes;
    try {
      read_bin_pack(folder.path() / "a.bin");
    } catch (const DataError& error) {
      return error.what();
    }
    return "nothing was refused";
  };
  EXPECT_THAT(fault(""), HasSubstr("a.bin is empty"));
  EXPECT_THAT(fault("version https://git-lfs.github.com/spec/v1\n"), HasSubstr("git lfs pull"));
  EXPECT_THAT(fault("<!DOCTYPE html>"), HasSubstr("a web page"));
  EXPECT_THAT(fault("\x80\x02N."), HasSubstr("a.bin: reading a pickle"));
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

TEST(BinPack, ExecutesNothingAndNamesWhatWasAskedFor) {
  const auto fault = parse_fault(
      "\x80\x02"
      "cos\nsystem\nX\x04" +
      std::string(3, '\0') + "true\x85R.");
  EXPECT_THAT(fault, HasSubstr("byte 2"));
  EXPECT_THAT(fault, HasSubstr("os.system"));
  EXPECT_THAT(parse_fault(std::string("\x80\x04\x8c\x08"
                                      "builtins\x8c\x04"
                                      "eval\x93.")),
              HasSubstr("builtins.eval"));
  EXPECT_THAT(parse_fault("\x80\x02"
                          "cnumpy\nload\n."),
              HasSubstr("numpy.load"));
}

TEST(BinPack, RefusesLengthsBeyondTheFileBeforeItAllocates) {
  for (const std::string& opcode :
       {"T" + number(0x7FFFFFFF, 4), "T" + number(0xFFFFFFFF, 4), "B" + number(0xFFFFFFFF, 4),
        "\x8e" + number(~0ULL, 8), "\x96" + number(1ULL << 40, 8), "\x8d" + number(1ULL << 62, 8),
        "\x95" + number(~0ULL, 8), "X" + number(100, 4), "C" + number(200, 1)})
    EXPECT_THAT(parse_fault("\x80\x04](" + opcode + "abc"), HasSubstr("byte 4"))
        << testing::PrintToString(opcode);
}

TEST(BinPack, RefusesNumpyArraysThatAreNotEncodedImages) {
  const auto wrap = [](const std::string& image) {
    return "\x80\x03](" + image +
           "C\x01xe](\x88"
           "e\x86.";
  };
  EXPECT_THAT(parse_fault(wrap(numpy_array("numpy.core", "abc", "c8"))), HasSubstr("numpy type 'c8'"));
  EXPECT_THAT(parse_fault(wrap(numpy_array("numpy.core", "abcd", "i1"))),
              HasSubstr("image 0 of pair 0 (from 0) is a numpy array"));
  auto shorter = numpy_array("numpy.core", "abc");
  shorter.replace(shorter.find("M\x03"), 2, "M\x04");
  EXPECT_THAT(parse_fault(wrap(shorter)), HasSubstr("should have 4 bytes and has 3"));
}

TEST(BinPack, RefusesPicklesOfSomethingElse) {
  EXPECT_THAT(parse_fault("\x80\x02N."), HasSubstr("None of 0 values where a pair"));
  EXPECT_THAT(parse_fault("\x80\x02]](\x88"
                          "e\x86."),
              HasSubstr("0 images for 1 answers"));
  EXPECT_THAT(parse_fault("\x80\x02](K\x01K\x02"
                          "e](\x88"
                          "e\x86."),
              HasSubstr("byte 4: image 0 of pair 0 (from 0) is a number where an encoded image"));
  EXPECT_THAT(parse_fault("\x80\x02](](NNe](NNee](\x88"
                          "e\x86."),
              HasSubstr("image 0"));
  EXPECT_THAT(parse_fault("\x80\x06."), HasSubstr("pickle protocol 6"));
  EXPECT_THAT(parse_fault("\x89PNG"), HasSubstr("byte 1"));
  EXPECT_THAT(parse_fault(""), HasSubstr("byte 0"));
  EXPECT_THAT(parse_fault("\x80\x02h\x07."), HasSubstr("memo 7 was never written"));
  EXPECT_THAT(parse_fault("\x80\x02\x86."), HasSubstr("the stack is empty"));
  EXPECT_THAT(parse_fault("\x80\x02](a."),
              HasSubstr("the stack is empty"));  // nothing below a mark may be taken
  EXPECT_THAT(parse_fault("\x80\x02"
                          "e."),
              HasSubstr("no mark"));
  EXPECT_THAT(parse_fault("\x80\x02N.more"), HasSubstr("4 bytes follow the end"));
}

TEST(BinPack, RefusesOneLargeImageRepeatedWithoutEnd) {
  std::string pickle = "\x80\x02](B" + number(20'000, 4) + std::string(20'000, 'x') + "q\x01";
  for (int i = 1; i < 200; ++i) pickle += "h\x01";
  pickle += "e](" + std::string(100, '\x88') + "e\x86.";
  EXPECT_THAT(parse_fault(pickle), HasSubstr("more than 32 times the file"));
}

TEST(BinPack, RefusesOneListCopiedWithoutEnd) {
  std::string pickle = "\x80\x03](" + std::string(1'000, 'N') + "eq\x01" + numpy_type("O8") + "q\x02(";
  for (int i = 0; i < 500; ++i)
    pickle +=
        "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nNN\x87R(K\x01M\xE8\x03\x85h\x02\x89h\x01tb";
  EXPECT_THAT(parse_fault(pickle), HasSubstr("copied again and again"));
}

TEST(BinPack, SurvivesDeepNesting) {
  // Tuples in tuples in tuples: freed without recursion.
  EXPECT_THAT(parse_fault("\x80\x02N" + std::string(200'000, '\x85') + "."), HasSubstr("where a pair"));
}

TEST(BinPack, FailsWithDataErrorsOnlyOnDamagedBytes) {
  const auto whole =
      pack_of("\x80\x03", [](const std::string& image) { return numpy_array("numpy.core", image); });
  for (std::size_t length = 0; length < whole.size(); ++length)
    EXPECT_THROW(parse_bin_pack(whole.substr(0, length)), DataError) << length;
  Draws draws(3);
  int refused = 0;
  for (int i = 0; i < 4'000; ++i) {
    auto damaged = whole;
    for (int k = 0; k < 3; ++k) damaged[draws.below(damaged.size())] = static_cast<char>(draws.next());
    try {
      parse_bin_pack(damaged);
    } catch (const DataError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 200);
}

}  // namespace
}  // namespace facemae
