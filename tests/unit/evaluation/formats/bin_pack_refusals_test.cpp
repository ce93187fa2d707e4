// What is no pack of pairs: refused by name, without running or allocating what it asks for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "core/random/keys.h"
#include "evaluation/formats/bin_pack.h"
#include "tests/temporary_folder.h"
#include "tests/unit/evaluation/formats/pickles.h"

namespace facemae {
namespace {

using namespace test_pickles;
using testing::HasSubstr;

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
