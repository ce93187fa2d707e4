// Pickles of protocol 0, whose opcodes are lines of text (core/pickle/pickle_lines.cpp).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/log.h"
#include "evaluation/formats/bin_pack.h"

namespace facemae {
namespace {

using testing::HasSubstr;

std::string text_of_image(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
std::string refusal(const std::string& pickle) {
  try {
    parse_bin_pack(pickle);
  } catch (const DataError& error) {
    return error.what();
  }
  return "nothing was refused";
}

const std::string kFourImages[] = {std::string("\xFF\xD8 one \x00\x80\xC3\xA9", 11), "it's \"two\" \\",
                                   std::string(300, '\xE4'), "\n4."};

void expect_four_images(const std::string& pickle) {
  const auto pack = parse_bin_pack(pickle);
  ASSERT_EQ(pack.images.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(text_of_image(pack.images[i]), kFourImages[i]) << i;
  EXPECT_EQ(pack.same, (std::vector<char>{1, 0}));
}

/// A string as Python 2's repr() shows it.
std::string shown(const std::string& bytes) {
  std::string text = "'";
  for (const char c : bytes)
    text += c == '\n'              ? std::string("\\n")
            : c == '\''            ? std::string("\\'")
            : c == '\\'            ? std::string("\\\\")
            : c >= ' ' && c <= '~' ? std::string(1, c)
                                   : fmt::format("\\x{:02x}", static_cast<std::uint8_t>(c));
  return text + "'";
}

TEST(PickleLines, ReadsProtocol0OfPython2) {
  for (const std::string end : {"\n", "\r\n"}) {  // the second of a file that was open as text on Windows
    std::string pickle = "((lp0" + end;
    int memo = 1;
    for (const auto& image : kFourImages)
      pickle += "S" + shown(image) + end + fmt::format("p{}", memo++) + end + "a";
    expect_four_images(pickle + "(lp5" + end + "I01" + end + "aI00" + end + "atp6" + end + ".");
  }
  const auto pack = parse_bin_pack("((lp0\nS\"it's\\\\ \\101\\0\"\np1\nag1\na(lp2\nL1L\natp3\n.");
  EXPECT_EQ(text_of_image(pack.images[0]), std::string("it's\\ A\0", 8)) << "other quotes, octal numbers";
  EXPECT_EQ(text_of_image(pack.images[1]), text_of_image(pack.images[0])) << "recalled";
  EXPECT_EQ(pack.same, std::vector<char>{1});
}

TEST(PickleLines, ReadsProtocol0OfPython3) {
  expect_four_images("((lp0\n" + [] {
    std::string images;
    for (const auto& image : kFourImages) {
      std::string letters;
      for (const char c : image)
        letters += c == '\n' || c == '\0' || c == '\\' ? fmt::format("\\u{:04x}", static_cast<int>(c))
                                                       : std::string(1, c);
      images += "c_codecs\nencode\n(V" + letters + "\nVlatin1\ntRa";
    }
    return images;
  }() + "(lp1\nI01\naI00\natp2\n.");
}

TEST(PickleLines, RefusesBadLinesOfProtocol0) {
  for (const std::string line : {"Sabc", "S'abc", "S'a\"", "S'\\'", "S'\\x4'", "S'\\q'", "S'\\xzz'", "V\\u12",
                                 "V\\U00110000", "I", "I1x", "L9999999999999999999L", "Fx", "g7", "gx", "px"})
    EXPECT_THAT(refusal("(" + line + "\nl."), HasSubstr("byte 1")) << line;
}

}  // namespace
}  // namespace facemae
