// Files that somebody changed and sealed again: nothing that they say is taken on trust.
#include "data/hdf5/hdf5_reader.h"

#include <gtest/gtest.h>
#include <hdf5.h>
#include <sys/stat.h>

#include <fstream>
#include <functional>

#include "core/error.h"
#include "core/log.h"
#include "data/hdf5/hdf5.h"
#include "data/hdf5/seal.h"
#include "data/store/manifest_arrays.h"
#include "data/store/store_facts.h"
#include "data/upkeep/stage.h"
#include "data/upkeep/store_tools.h"
#include "data/upkeep/store_verify.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;
using testing_stores::make_store;

/// Changes a file of a store by libhdf5 and gives it the seal that the change needs.
void reforge(const Path& path, const std::function<void(hid_t)>& change) {
  const FileRange blob = read_seal(InputFile(path)).blob;
  fs::resize_file(path, fs::file_size(path) - kSealBytes);
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, access);
  ASSERT_GE(file, 0);
  change(file);
  H5Pclose(access);
  ASSERT_GE(H5Fclose(file), 0);
  append_seal(real_files(), path, blob);
}

void put_attribute(hid_t file, const char* name, hid_t type, hid_t shape, const void* value) {
  H5Adelete(file, name);
  const hid_t made = H5Acreate2(file, name, type, shape, H5P_DEFAULT, H5P_DEFAULT);
  EXPECT_GE(H5Awrite(made, type, value), 0);
  H5Aclose(made);
  H5Sclose(shape);
}
void put_number(hid_t file, const char* name, std::uint64_t value) {
  put_attribute(file, name, H5T_STD_U64LE, H5Screate(H5S_SCALAR), &value);
}
void put_text(hid_t file, const char* name, const std::string& text) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, text.size());
  H5Tset_cset(type, H5T_CSET_UTF8);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  put_attribute(file, name, type, H5Screate(H5S_SCALAR), text.data());
  H5Tclose(type);
}
void overwrite(hid_t file, const char* name, hid_t type, const void* values) {
  const hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  EXPECT_GE(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values), 0);
  H5Dclose(set);
}

class ForgedStore : public testing::Test {
 protected:
  ForgedStore() {
    const auto store = make_store(store_, {6, 5, 7}, 16);
    select_from_store(real_files(), *store, {.identities = {true, false, true}}, view_);
    select_from_store(real_files(), *Store::open(view_), {.identities = {true, true}}, again_);
  }
  void forge(const std::function<void(hid_t)>& change) { reforge(store_ / kManifestName, change); }
  std::string why_not_open(const Path& folder) {
    try {
      Store::open(folder);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }
  test::TemporaryFolder here_;
  Path store_ = here_ / "store", view_ = here_ / "view1", again_ = here_ / "view2";
};

TEST_F(ForgedStore, MayNotHaveAnAttributeOfManyValues) {
  const hsize_t many = 4000;
  const std::vector<std::uint64_t> values(many, 0x4141414141414141);
  forge([&](hid_t file) {
    put_attribute(file, "images", H5T_STD_U64LE, H5Screate_simple(1, &many, nullptr), values.data());
  });
  EXPECT_NE(why_not_open(store_).find("an attribute of more than one value"), std::string::npos);
}

TEST_F(ForgedStore, MayNotHaveATextOfManyTexts) {
  const hsize_t many = 1000;
  const std::string values(many * 32, 'x');
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, 32);
  H5Tset_cset(type, H5T_CSET_UTF8);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  forge([&](hid_t file) {
    put_attribute(file, "uuid", type, H5Screate_simple(1, &many, nullptr), values.data());
  });
  EXPECT_NE(why_not_open(store_).find("an attribute of more than one value"), std::string::npos);
}

TEST_F(ForgedStore, MayNotHaveNumbersOfAnotherClassOrSize) {
  const double real = 18;
  const std::uint32_t small = 18;
  forge([&](hid_t file) { put_attribute(file, "images", H5T_IEEE_F64LE, H5Screate(H5S_SCALAR), &real); });
  EXPECT_NE(why_not_open(store_).find("another type"), std::string::npos);
  forge([&](hid_t file) { put_attribute(file, "images", H5T_STD_U32LE, H5Screate(H5S_SCALAR), &small); });
  EXPECT_NE(why_not_open(store_).find("another type than u64"), std::string::npos);
}

TEST_F(ForgedStore, MustHaveCountsThatFitEachOther) {
  const std::vector<std::tuple<const char*, std::uint64_t, const char*>> wrong = {
      {"images", 19, "its shards have 18"},
      {"images", 1'000'000'000'000, "its shards have 18"},
      {"images", ~0ULL, "more images than there can be"},
      {"identities", 1ULL << 40, "more identities than images"},
      {"identities", ~0ULL, "more identities than images"},
      {"image_size", 0, "0 pixels per side"},
      {"image_size", 5000, "5000 pixels per side"},
      {"image_size", 32, "16 pixels per side, but those of the store have 32"}};
  for (const auto& [name_, value_, why] : wrong) {
    const auto name = name_;  // a lambda of clang 14 takes no structured binding
    const auto value = value_;
    std::uint64_t before = 0;
    forge([&](hid_t file) {
      const hid_t attribute = H5Aopen(file, name, H5P_DEFAULT);
      H5Aread(attribute, H5T_NATIVE_UINT64, &before);
      H5Aclose(attribute);
      put_number(file, name, value);
    });
    EXPECT_NE(why_not_open(store_).find(why), std::string::npos) << name << ": " << why_not_open(store_);
    forge([&](hid_t file) { put_number(file, name, before); });
  }
  EXPECT_EQ(why_not_open(store_), "");
}

TEST_F(ForgedStore, MayNotNameFilesOfOtherFolders) {
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, std::string("manifest.json").size());
  H5Tset_cset(type, H5T_CSET_UTF8);
  H5Tset_strpad(type, H5T_STR_NULLPAD);
  std::string names("manifest.jsonidentities.h5", 26);
  names.replace(13, 13, std::string("../../x/y.txt"));
  forge([&](hid_t file) { overwrite(file, "/files/name", type, names.data()); });
  EXPECT_NE(why_not_open(store_).find("not that of a file in its folder"), std::string::npos);
}

TEST_F(ForgedStore, MayNotHaveArraysElsewhereOrCompressed) {
  forge([](hid_t file) {
    H5Ldelete(file, "/source_licence", H5P_DEFAULT);
    H5Lcreate_external("other.h5", "/licence", file, "/source_licence", H5P_DEFAULT, H5P_DEFAULT);
  });
  EXPECT_NE(why_not_open(store_).find("not a hard one"), std::string::npos);
  forge([](hid_t file) {
    H5Ldelete(file, "/source_licence", H5P_DEFAULT);
    const hsize_t count = 1;
    const hid_t made_by = H5Pcreate(H5P_DATASET_CREATE), shape = H5Screate_simple(1, &count, nullptr);
    H5Pset_chunk(made_by, 1, &count);
    H5Pset_deflate(made_by, 9);
    H5Dclose(H5Dcreate2(file, "/source_licence", H5T_STD_U64LE, shape, H5P_DEFAULT, made_by, H5P_DEFAULT));
  });
  EXPECT_NE(why_not_open(store_), "");
}

TEST_F(ForgedStore, IsNoPipeThatWouldBeWaitedFor) {
  fs::remove(store_ / shard_name(0));
  ASSERT_EQ(::mkfifo((store_ / shard_name(0)).c_str(), 0666), 0);
  EXPECT_NE(why_not_open(store_).find("not a plain file"), std::string::npos);
  EXPECT_FALSE(verify_store(store_).good());
}

TEST_F(ForgedStore, ViewsMayNotBeViewsOfEachOther) {
  reforge(view_ / kManifestName, [](hid_t file) { put_text(file, "parent", "../view2"); });
  const std::string why = "is a view of it in turn";
  EXPECT_NE(why_not_open(view_).find(why), std::string::npos);
  EXPECT_THROW(facts_of_store(again_), DataError);
  EXPECT_THROW(plan_stage(real_files(), again_, here_ / "disk"), DataError);
  EXPECT_THROW(compact_store(real_files(), again_, here_ / "out"), DataError);
  const auto report = verify_store(again_);
  ASSERT_FALSE(report.good());
  EXPECT_NE(report.files.back().reason.find(why), std::string::npos) << report.files.back().reason;
}

TEST_F(ForgedStore, ViewsHaveRowsOfTheirParentAndLabelsOfTheirIdentities) {
  std::vector<std::uint64_t> rows(13);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = i;
  std::vector<std::int64_t> labels(13, 1);
  labels[4] = 2;
  reforge(view_ / kViewName, [&](hid_t file) { overwrite(file, "/label", H5T_NATIVE_INT64, labels.data()); });
  const auto store = Store::open(view_);
  EXPECT_EQ(store->label(3), 1);
  EXPECT_THROW(store->label(4), DataError);
  EXPECT_FALSE(verify_store(view_).good());
  rows[5] = 18;
  reforge(view_ / kViewName, [&](hid_t file) { overwrite(file, "/row", H5T_NATIVE_UINT64, rows.data()); });
  EXPECT_NE(why_not_open(view_), "");
}

TEST_F(ForgedStore, IdentitiesHaveRowsOfTheStore) {
  std::vector<std::uint64_t> rows(18, 3);
  rows[2] = 18;
  reforge(store_ / kIdentitiesName,
          [&](hid_t file) { overwrite(file, "/row", H5T_NATIVE_UINT64, rows.data()); });
  EXPECT_THROW(Store::open(store_)->rows_of(0), DataError);
}

TEST_F(ForgedStore, AViewIsFoundThroughALinkToItsFolder) {
  fs::create_directory(here_ / "elsewhere");
  fs::create_directory_symlink(view_, here_ / "elsewhere/v");
  EXPECT_EQ(Store::open(here_ / "elsewhere/v")->size(), Store::open(view_)->size());
  EXPECT_EQ(facts_of_store(here_ / "elsewhere/v").shard_images, 18u);
  EXPECT_TRUE(verify_store(here_ / "elsewhere/v").good());
}

TEST(Hdf5Reader, AFileThatCannotBeReadIsNoDamagedOne) {
  const test::TemporaryFolder here;
  auto file = hdf5::File::create(here / "a.h5");
  file.write_array("/values", std::vector<std::uint64_t>(1000, 7));
  file.close();
  const auto reader = hdf5::Reader::open(here / "a.h5");
  EXPECT_EQ(reader.read_array<std::uint64_t>("/values").size(), 1000u);
  EXPECT_THROW(reader.read_array<std::uint64_t>("/values", {.count = 999}), DataError);
  EXPECT_THROW(reader.read_array<std::int64_t>("/values"), DataError);
  EXPECT_THROW(reader.read_array<std::uint64_t>("/other"), DataError);
  fs::resize_file(here / "a.h5", 100);
  EXPECT_THROW(reader.read_array<std::uint64_t>("/values"), FileError);
}

}  // namespace
}  // namespace facemae
