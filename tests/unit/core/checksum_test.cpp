#include "core/checksum.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace facemae {
namespace {

TEST(Crc32c, GivesTheStandardCheckValues) {
  EXPECT_EQ(crc32c(bytes_of("123456789")), 0xE3069283u);            // the catalogue's check value
  EXPECT_EQ(crc32c(bytes_of(std::string(32, '\0'))), 0x8A9136AAu);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(bytes_of(std::string(32, '\xff'))), 0x62A8AB43u);
  EXPECT_EQ(crc32c({}), 0u);
}

TEST(Xxh128, OfPiecesIsThatOfTheWhole) {
  const std::string text = "instance relation matching";
  Hasher hasher;
  hasher.add(bytes_of(text.substr(0, 7)));
  hasher.add(bytes_of(text.substr(7)));
  EXPECT_EQ(hasher.digest(), xxh128(bytes_of(text)));
  EXPECT_NE(xxh128(bytes_of(text)), xxh128(bytes_of(text + " ")));
  EXPECT_EQ(xxh128({}).hex(),
            "99aa06d3014798d86001c324468d497f");  // xxHash's own test vector of the empty input
}

TEST(Hash128, SurvivesItsText) {
  const Hash128 hash = xxh128(bytes_of("x"));
  EXPECT_EQ(Hash128::from_hex(hash.hex()), hash);
  EXPECT_THROW(Hash128::from_hex("12"), DataError);
  EXPECT_THROW(Hash128::from_hex(std::string(32, 'g')), DataError);
}

}  // namespace
}  // namespace facemae
