#include "data/store/manifest_arrays.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/temporary_folder.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;
using test::TemporaryFolder;

/// A manifest of no shards and no images is one too.
StoreManifest manifest_of(const std::vector<std::string>& names) {
  StoreManifest manifest;
  manifest.uuid = "u";
  manifest.image_size = 16;
  manifest.identities = static_cast<std::int64_t>(names.size());
  manifest.identity_names = names;
  complete_manifest(manifest, {});
  return manifest;
}

TEST(ManifestArrays, KeepNamesOfAnyBytesAndLength) {
  const TemporaryFolder here;
  const std::vector<std::string> names = {"",
                                          "plain",
                                          std::string(1000, 'n'),
                                          "caf\xe9 \xff\xfe",
                                          "\xe4\xbd\x8f\xe6\xb0\x91",
                                          std::string("with\0zero", 9),
                                          "a\nb"};
  fs::create_directories(here / "s");
  write_manifest(real_files(), here / "s", manifest_of(names));
  const StoreManifest manifest = read_manifest(here / "s");
  const Identities identities = Identities::read(here / "s", manifest);
  for (std::size_t k = 0; k < names.size(); ++k)
    EXPECT_EQ(identities.name(static_cast<std::int64_t>(k)), names[k]);
  EXPECT_EQ(identities.name(-1), "");
  EXPECT_EQ(identities.name(7), "");
  EXPECT_TRUE(identities.rows_of(7).empty());
}

TEST(ManifestArrays, KeepTextsBeyondTheLimitOfAttributes) {
  const TemporaryFolder here;
  StoreManifest manifest = manifest_of({"a"});
  manifest.source_licence = std::string(200'000, 'l') + " caf\xe9";
  manifest.pack_settings = "{\"in\": \"" + std::string(100'000, 'p') + "\"}";
  fs::create_directories(here / "s");
  write_manifest(real_files(), here / "s", manifest);
  const StoreManifest found = read_manifest(here / "s");
  EXPECT_EQ(found.source_licence, manifest.source_licence);
  EXPECT_EQ(found.pack_settings, manifest.pack_settings);
}

TEST(ManifestArrays, GiveEqualBytesForEqualManifests) {
  const TemporaryFolder here;
  for (const char* name : {"a", "b"}) {
    fs::create_directories(here / name);
    write_manifest(real_files(), here / name, manifest_of({"x", "y"}));
  }
  for (const char* file : {kManifestName, kReadableName, kIdentitiesName})
    EXPECT_EQ(read_file(here / "a" / Path(file)), read_file(here / "b" / Path(file))) << file;
}

TEST(ManifestArrays, OfAnotherStoreAreRefused) {
  const TemporaryFolder here;
  testing_stores::make_store(here / "a", {2, 2});
  testing_stores::make_store(here / "b", {2, 3});
  EXPECT_NO_THROW(Identities::read(here / "a", read_manifest(here / "a")));
  EXPECT_THROW(Identities::read(here / "a", read_manifest(here / "b")), DataError);
}

}  // namespace
}  // namespace facemae
