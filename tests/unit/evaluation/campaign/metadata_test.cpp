#include "evaluation/campaign/metadata.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "core/error.h"
#include "data/image/image.h"
#include "tests/unit/evaluation/campaign/planted_release.h"

namespace facemae {
namespace {

/// 30 people of two photos, released in another order; files that tell nothing.
struct Case {
  Target target =
      test::one_to_one(test::random_faces(30, 2), [](const torch::Tensor& photos) { return photos.clone(); });
  FileFacts released, real;
  Case() {
    // Class c is person (7 c + 3) mod 30, picture i photo (7 i + 3) mod 60.
    for (std::int64_t i = 0; i < 60; ++i) {
      const std::int64_t photo = (7 * i + 3) % 60;
      target.links.photos_of_picture[static_cast<std::size_t>(i)] = {photo};
    }
    for (std::int64_t c = 0; c < 30; ++c)
      target.links.people_of_class[static_cast<std::size_t>(c)] = {(7 * c + 3) % 30};
    for (FileFacts* facts : {&released, &real}) {
      facts->bytes.assign(60, 1000);
      facts->header.assign(60, 5);
      facts->names.assign(30, "");
    }
  }
  std::int64_t links(const std::string& cue) const {
    for (const auto& row : metadata_attack(released, real, target).cues)
      if (row.name == cue) return row.exact_links;
    ADD_FAILURE() << cue;
    return -1;
  }
};

TEST(Metadata, FindsNothingInFilesThatAreAllAlike) {
  const Case plain;
  const auto found = metadata_attack(plain.released, plain.real, plain.target);
  EXPECT_EQ(found.cues.size(), 7U);
  for (const auto& cue : found.cues) EXPECT_EQ(cue.exact_links, 0) << cue.name;
  for (const Measurement& row : found.measurements) {
    EXPECT_EQ(row.attack, "A14");
    EXPECT_LE(row.found.low, row.chance) << row.attacker;
  }
}

TEST(Metadata, FindsLinksBySizeTablesAndNames) {
  Case leaky;
  for (std::size_t i = 0; i < 60; ++i) {
    leaky.real.bytes[i] = 1000 + i;
    leaky.released.bytes[i] = 1000 + static_cast<std::uint64_t>(leaky.target.links.photos_of_picture[i][0]);
    leaky.real.header[i] = 5 + i;
    leaky.released.header[i] = 5 + static_cast<std::uint64_t>(leaky.target.links.photos_of_picture[i][0]);
  }
  for (std::size_t c = 0; c < 30; ++c) {
    leaky.real.names[c] = "person " + std::to_string(c);
    leaky.released.names[c] = "person " + std::to_string(leaky.target.links.people_of_class[c][0]);
  }
  for (const char* cue : {"size of the file", "rank of the size", "tables and headers"})
    EXPECT_EQ(leaky.links(cue), 60) << cue;
  EXPECT_EQ(leaky.links("names"), 30);
  EXPECT_EQ(leaky.links("number of images"), 0);
}

TEST(Metadata, FindsLinksByNumberAndByOrder) {
  Target target =
      test::one_to_one(test::random_faces(12, 1), [](const torch::Tensor& photos) { return photos.clone(); });
  FileFacts facts{std::vector<std::uint64_t>(12, 9), std::vector<std::uint64_t>(12, 9),
                  std::vector<std::string>(12)};
  for (const auto& cue : metadata_attack(facts, facts, target).cues)
    EXPECT_EQ(cue.exact_links, cue.name.starts_with("order") ? 12 : 0) << cue.name << ": nobody shuffled";
  // Person p has p + 1 photos, of which the class has as many: every number tells who it is.
  Target many;
  many.members = many.real.people_count = many.released.class_count = 8;
  for (std::int64_t p = 0; p < 8; ++p) {
    many.links.people_of_class.push_back({7 - p});
    many.known_as.push_back(p);
    for (std::int64_t i = 0; i <= p; ++i) many.real.people.push_back(p);
  }
  for (std::int64_t c = 0; c < 8; ++c)
    for (std::int64_t i = 0; i < 8 - c; ++i) many.released.classes.push_back(c);
  many.links.photos_of_picture.assign(36, {});
  many.real.photos = many.released.pictures = torch::zeros({36, 3, 2, 2}, torch::kUInt8);
  FileFacts same{std::vector<std::uint64_t>(36, 9), std::vector<std::uint64_t>(36, 9),
                 std::vector<std::string>(8)};
  EXPECT_EQ(metadata_attack(same, same, many).cues.front().exact_links, 8);
  same.bytes.pop_back();
  EXPECT_THROW(metadata_attack(same, same, many), ConfigError);
}

TEST(Metadata, DoesNotTakeLuckForALeak) {
  std::mt19937 random(7);
  constexpr int kReleases = 2000;
  std::int64_t accused = 0, lucky = 0;
  Target target =
      test::one_to_one(test::random_faces(8, 1), [](const torch::Tensor& photos) { return photos.clone(); });
  const FileFacts facts{std::vector<std::uint64_t>(8, 9), std::vector<std::uint64_t>(8, 9),
                        std::vector<std::string>(8)};
  std::vector<std::int64_t> order(8);
  std::iota(order.begin(), order.end(), 0);
  for (int i = 0; i < kReleases; ++i) {
    std::shuffle(order.begin(), order.end(), random);
    std::int64_t kept = 0;
    for (std::size_t c = 0; c < order.size(); ++c) {
      target.links.people_of_class[c] = {order[c]};
      target.links.photos_of_picture[c] = {order[c]};
      kept += order[c] == static_cast<std::int64_t>(c);
    }
    lucky += kept >= 4;
    std::int64_t links = 0;
    for (const auto& cue : metadata_attack(facts, facts, target).cues) links += cue.exact_links;
    accused += links > 0;
  }
  EXPECT_GT(lucky, 10) << "four of eight in their old places: one release in 53 by luck alone";
  EXPECT_LE(accused, 1);
}

TEST(HeaderDigest, TellsTablesApartNotPictures) {
  Image one{16, 16, std::vector<std::uint8_t>(16 * 16 * 3, 40)}, other = one;
  std::iota(other.pixels.begin(), other.pixels.end(), 0);
  EXPECT_EQ(header_digest(encode_jpeg(one, 90)), header_digest(encode_jpeg(other, 90)));
  EXPECT_NE(header_digest(encode_jpeg(one, 90)), header_digest(encode_jpeg(one, 80)));
  EXPECT_EQ(header_digest(encode_png(one)), header_digest(encode_png(other)));
  EXPECT_NE(header_digest(encode_png(one)), 0U);
  auto cut = encode_jpeg(one, 90);
  cut.resize(30);
  EXPECT_NE(header_digest(cut), 0U) << "and ends";
  EXPECT_EQ(header_digest(bytes_of("no picture at all")), 0U);
}

}  // namespace
}  // namespace facemae
