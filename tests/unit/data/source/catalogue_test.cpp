#include "data/source/catalogue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "core/error.h"
#include "core/log.h"
#include "core/random/keys.h"
#include "data/source/catalogue_writer.h"
#include "data/source/names_digest.h"
#include "tests/unit/data/image/test_images.h"
#include "tests/why.h"

namespace facemae {
namespace {

using test::why;
using test_images::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;

Listed parts_of(const std::vector<std::string>& names) {
  Listed listed{.request = "as asked", .parts = {}};
  for (const auto& name : names) listed.parts.push_back({.path = name});
  return listed;
}

TEST(Catalogue, SortsByIdentityThenImageAndFindsEach) {
  TemporaryFolder here;
  CatalogueWriter writer(parts_of({"p", "q", "r", "s"}), here.path());
  writer.add("b", "2.jpg", 1, 77);
  writer.add("a", "9.jpg", 0);
  writer.add("b", "10.jpg", 2, 1ULL << 40);
  writer.add("ab", "1.jpg", 3);
  EXPECT_EQ(writer.size(), 4u);
  writer.write(real_files(), here / "catalogue");
  const Catalogue catalogue(here / "catalogue");
  catalogue.verify();
  EXPECT_EQ(catalogue.listed().request, "as asked");
  ASSERT_EQ(catalogue.listed().parts.size(), 4u);
  EXPECT_EQ(catalogue.listed().parts[2].path, "r");
  EXPECT_EQ(catalogue.listed().parts[2].images, 1u);
  EXPECT_EQ(catalogue.identities(), 3u);
  EXPECT_EQ(catalogue.identity_name(1), "ab");
  const std::vector<std::string> names = {"a/9.jpg", "ab/1.jpg", "b/10.jpg", "b/2.jpg"};
  ASSERT_EQ(catalogue.size(), names.size());
  for (std::uint64_t entry = 0; entry < names.size(); ++entry) {
    EXPECT_EQ(catalogue.name(entry), names[entry]);
    const auto slash = names[entry].find('/');
    EXPECT_EQ(catalogue.find(names[entry].substr(0, slash), names[entry].substr(slash + 1)), entry);
  }
  EXPECT_EQ(catalogue.label(3), 2);
  EXPECT_EQ(catalogue.part(2), 2u);
  EXPECT_EQ(catalogue.place(2), 1ULL << 40);
  EXPECT_EQ(catalogue.place(3), 77u);
  for (const auto* absent : {"0", "b2", "c"}) EXPECT_EQ(catalogue.find(absent, "1.jpg"), std::nullopt);
  for (const auto* absent : {"", "1.jpg", "3.jpg", "2.jpg "})
    EXPECT_EQ(catalogue.find("b", absent), std::nullopt);
  EXPECT_THROW(catalogue.name(4), Error);
}

TEST(Catalogue, IsTheSameWhateverTheOrderAndTheMemory) {
  TemporaryFolder here;
  std::map<std::string, std::vector<std::string>> names;
  std::vector<std::pair<std::string, std::string>> images;
  Draws draws(3);
  for (int i = 0; i < 3000; ++i) {
    const std::string identity = fmt::format("id {}", draws.below(90)), image = fmt::format("{}.jpg", i);
    names[identity].push_back(image);
    images.emplace_back(identity, image);
  }
  const auto write = [&](const Path& path, std::uint64_t run_bytes) {
    CatalogueWriter writer(parts_of({"root"}), here.path(), run_bytes);
    for (const auto& [identity, image] : images) writer.add(identity, image, 0);
    writer.write(real_files(), path);
    return read_file(path);
  };
  const std::string whole = write(here / "a", 64 << 20);  // one run
  EXPECT_EQ(write(here / "b", 10'000), whole);            // many
  std::sort(images.begin(), images.end());
  EXPECT_EQ(write(here / "c", 10'000), whole);  // many that continue one another
  const Catalogue catalogue(here / "a");
  NamesDigest digest(names.size());
  for (const auto& [identity, its] : names) digest.identity(identity);
  std::uint64_t entry = 0;
  std::int64_t label = 0;
  for (auto& [identity, its] : names) {
    std::sort(its.begin(), its.end());
    for (const auto& image : its) {
      ASSERT_EQ(catalogue.name(entry), identity + "/" + image);
      ASSERT_EQ(catalogue.label(entry), label);
      ASSERT_EQ(catalogue.find(identity, image), entry++);
      digest.image(label, identity + "/" + image);
    }
    ++label;
  }
  EXPECT_EQ(catalogue.digest(), digest.digest());
}

TEST(Catalogue, TwoOfOneNameAreNamedWithTheirParts) {
  TemporaryFolder here;
  for (const std::uint64_t run_bytes : {1, 1 << 20}) {
    CatalogueWriter writer(parts_of({"first", "second"}), here.path(), run_bytes);
    writer.add("a", "1.jpg", 1);
    writer.add("b", "1.jpg", 0);
    writer.add("a", "1.jpg", 0);
    EXPECT_THAT(why<DataError>([&] { writer.write(real_files(), here / "catalogue"); }),
                HasSubstr("a/1.jpg: one in first, one in second"));
  }
}

TEST(Catalogue, NoFlippedBitAndNoTruncationPasses) {
  TemporaryFolder here;
  CatalogueWriter writer(parts_of({"root", "a longer name of a root"}), here.path());
  for (int i = 0; i < 40; ++i) writer.add(fmt::format("id-{}", i % 3), fmt::format("{}.jpg", i), i % 2);
  writer.write(real_files(), here / "whole");
  const std::string whole = read_file(here / "whole");
  const auto fault = [&] { return why<Error>([&] { Catalogue(here / "bad").verify(); }); };
  for (std::size_t byte = 0; byte < whole.size(); ++byte) {
    std::string bad = whole;
    bad[byte] = static_cast<char>(bad[byte] ^ 4);
    test_images::put(here / "bad", bytes_of(bad));
    EXPECT_THAT(fault(), HasSubstr("lists the images again")) << byte;
  }
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    test_images::put(here / "bad", bytes_of(whole.substr(0, length)));
    EXPECT_THAT(fault(), HasSubstr("lists the images again")) << length;
  }
}

}  // namespace
}  // namespace facemae
