#include "core/random/secret.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"

namespace facemae {
namespace {

TEST(SecretKeys, HaveTwoHundredAndFiftySixBitsThatDifferEachTime) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(random_key().hex());
  EXPECT_EQ(seen.size(), 100U);
  EXPECT_EQ(seen.begin()->size(), 64U);
  const SecretKey key = random_key();
  EXPECT_EQ(SecretKey::from_hex(key.hex()), key);
  for (const std::string& bad :
       {std::string(), key.hex().substr(1), key.hex() + "0", "x" + key.hex().substr(1)})
    EXPECT_THROW(SecretKey::from_hex(bad), DataError) << bad;
}

TEST(SecretKeys, AreDerivedByPurposeAndContent) {
  const SecretKey key = random_key();
  const std::string a = "a", ab = "ab", b = "b";
  std::set<std::string> derived{derive(key, "mask", bytes_of(a)).hex(),
                                derive(key, "mask", bytes_of(b)).hex(),
                                derive(key, "order", bytes_of(a)).hex(),
                                derive(key, "orde", bytes_of("r" + a)).hex(),
                                derive(key, "mask").hex(),
                                derive(random_key(), "mask").hex()};
  EXPECT_EQ(derived.size(), 6U);
  EXPECT_EQ(derive(key, "mask", bytes_of(a)), derive(key, "mask", bytes_of(a)));
}

TEST(Blake2b, IsThePublishedFunction) {
  // b2sum -l 256 of no bytes and of "abc".
  const auto hex = [](const Hash256& hash) { return SecretKey{hash.bytes}.hex(); };
  EXPECT_EQ(hex(blake2b({})), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  EXPECT_EQ(hex(blake2b(bytes_of(std::string("abc")))),
            "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

TEST(SecretStream, IsChaCha20) {
  // RFC 8439, appendix A.1, vectors 1 and 2: key and nonce of zeros, block counters 0 and 1.
  SecretStream stream(SecretKey{});
  EXPECT_EQ(stream.next(), 0x903df1a0ade0b876ULL);
  EXPECT_EQ(stream.next(), 0x28bd8653e56a5d40ULL);
  for (int i = 2; i < 8; ++i) stream.next();
  EXPECT_EQ(stream.next(), 0x7a385155bee7079fULL);
  SecretStream other(random_key());
  EXPECT_NE(SecretStream(SecretKey{}).next(), other.next());
}

TEST(SecretStream, DrawsEachNumberBelowWithTheSameChance) {
  SecretStream stream(SecretKey{});
  std::map<std::uint64_t, int> counts;
  for (int i = 0; i < 30000; ++i) ++counts[stream.below(3)];
  ASSERT_EQ(counts.size(), 3U);
  for (const auto& [value, count] : counts) EXPECT_NEAR(count, 10000, 400) << value;
  // Above half of 2^64, folding instead of throwing away would make the low third twice as likely.
  const std::uint64_t n = 3ULL << 62;
  int low = 0;
  for (int i = 0; i < 30000; ++i) low += stream.below(n) < n / 3;
  EXPECT_NEAR(low, 10000, 400);
}

TEST(SecretOrder, IsAnyOrderAlike) {
  std::map<std::vector<std::uint64_t>, int> counts;
  SecretKey key;
  for (int i = 0; i < 6000; ++i) {
    key = derive(key, "next");
    ++counts[secret_order(3, key)];
  }
  ASSERT_EQ(counts.size(), 6U);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 150);
  EXPECT_EQ(secret_order(1000, key), secret_order(1000, key));
  auto sorted = secret_order(1000, key);
  std::sort(sorted.begin(), sorted.end());
  for (std::uint64_t i = 0; i < 1000; ++i) EXPECT_EQ(sorted[i], i);
  EXPECT_TRUE(secret_order(0, key).empty());
}

TEST(RandomUuid, IsOfVersionFour) {
  const std::string uuid = random_uuid();
  ASSERT_EQ(uuid.size(), 36U);
  EXPECT_EQ(uuid[14], '4');
  EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
  EXPECT_NE(uuid, random_uuid());
}

}  // namespace
}  // namespace facemae
