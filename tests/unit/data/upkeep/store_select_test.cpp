#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "core/error.h"
#include "data/upkeep/store_tools.h"
#include "data/upkeep/store_verify.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

using testing_stores::make_store;
using testing_stores::planted_name;
using testing_stores::TemporaryFolder;

/// "name hash" of every image: what a store holds, whatever its order and its labels.
std::multiset<std::string> images_of(const Store& store) {
  std::multiset<std::string> images;
  std::vector<std::byte> encoded;
  for (std::uint64_t row = 0; row < store.size(); ++row) {
    store.read(row, encoded);
    images.insert(store.identity_name(store.label(row)) + " " + xxh128(encoded).hex());
  }
  return images;
}

std::set<std::string> names_of(const Store& store) {
  std::set<std::string> names;
  for (std::int64_t k = 0; k < store.identities(); ++k) names.insert(store.identity_name(k));
  return names;
}

Selection all_of(const Store& store) {
  return {.identities = std::vector<bool>(static_cast<std::size_t>(store.identities()), true)};
}

std::string fault_of(const Store& store, const Path& file) {
  try {
    read_identities(store, file);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

/// A released store: labels without names.
std::shared_ptr<const Store> make_nameless(const Path& folder) {
  std::filesystem::create_directories(folder);
  const std::vector<std::vector<std::byte>> images{
      testing_stores::tiny_picture(1), testing_stores::tiny_picture(2), testing_stores::tiny_picture(3)};
  ShardContent content;
  content.uuid = "u";
  content.image_size = 16;
  content.images = images;
  content.labels = {2, 0, 1};
  StoreManifest manifest;
  manifest.uuid = "u";
  manifest.image_size = 16;
  manifest.identities = 3;
  manifest.released = true;
  manifest.shards.push_back(write_shard(real_files(), folder, content));
  complete_manifest(manifest, content.labels);
  write_manifest(real_files(), folder, manifest);
  return Store::open(folder);
}

TEST(ReadIdentities, TakesNamesOneALineInAnyOrderAndOnce) {
  const TemporaryFolder folder;
  const auto store = make_store(folder / "store", {2, 2, 2});
  write_durably(real_files(), folder / "list",
                "\xEF\xBB\xBF" + planted_name(2) + "\r\n \n" + planted_name(0) + " \t\n" + planted_name(2));
  EXPECT_EQ(read_identities(*store, folder / "list"), (std::vector<std::int64_t>{0, 2}));
  EXPECT_THROW(read_identities(*store, folder / "nowhere"), FileError);
}

TEST(ReadIdentities, BearsTheMarkOfUtf8) {
  const TemporaryFolder folder;
  const auto store = make_store(folder / "store", {2, 2, 2});
  write_durably(real_files(), folder / "list", "\xEF\xBB\xBF" + planted_name(1) + "\r\n");
  EXPECT_EQ(read_identities(*store, folder / "list"), (std::vector<std::int64_t>{1}));
}

TEST(ReadIdentities, RefusesAListThatNamesNobody) {
  const TemporaryFolder folder;
  const auto store = make_store(folder / "store", {2, 2, 2});
  for (const char* list : {"", "\n\r\n"}) {
    write_durably(real_files(), folder / "list", list);
    EXPECT_THAT(fault_of(*store, folder / "list"), testing::HasSubstr("it names nobody"));
  }
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(folder / "pipe") << planted_name(1) << "\n"; });
  EXPECT_EQ(read_identities(*store, folder / "pipe"), (std::vector<std::int64_t>{1}));
  writer.join();
}

TEST(ReadIdentities, ListsUnknownNamesWithTheNearest) {
  const TemporaryFolder folder;
  const auto store = make_store(folder / "store", {2, 2, 2});
  write_durably(real_files(), folder / "list",
                std::string("planted-nane-1\nplanted-name-0\nsomebody else\n"));
  const std::string fault = fault_of(*store, folder / "list");
  EXPECT_NE(fault.find("2 of 3 lines"), std::string::npos) << fault;
  EXPECT_NE(fault.find("\"planted-nane-1\": did you mean planted-name-1?"), std::string::npos) << fault;
  EXPECT_NE(fault.find("\"somebody else\""), std::string::npos) << fault;
}

TEST(ReadIdentities, TakesNumbersInAReleasedStore) {
  const TemporaryFolder folder;
  const auto store = make_nameless(folder / "store");
  write_durably(real_files(), folder / "list", std::string("2\n0\n"));
  EXPECT_EQ(read_identities(*store, folder / "list"), (std::vector<std::int64_t>{0, 2}));
  for (const char* line : {"3", "-1", "1x", "name"}) {
    write_durably(real_files(), folder / "list", std::string(line));
    EXPECT_NE(fault_of(*store, folder / "list").find("0..2"), std::string::npos) << line;
  }
}

TEST(SelectFromStore, KeepsJustTheImagesOfTheChosen) {
  const TemporaryFolder folder;
  const auto parent = make_store(folder / "store", {3, 4, 5, 6});
  const Selection chosen{.identities = {false, true, false, true}};
  select_from_store(real_files(), *parent, chosen, folder / "out");
  const auto view = Store::open(folder / "out");
  EXPECT_EQ(view->size(), 10u);
  EXPECT_EQ(names_of(*view), (std::set{planted_name(1), planted_name(3)}));
  const auto all = images_of(*parent);
  for (const auto& image : images_of(*view)) EXPECT_TRUE(all.contains(image));
  select_from_store(real_files(), *parent, chosen, folder / "out");  // once more: it is there
  EXPECT_THROW(select_from_store(real_files(), *parent, all_of(*parent), folder / "out"), ConfigError);
  EXPECT_THROW(select_from_store(real_files(), *parent, all_of(*parent), folder / "store"), ConfigError);
  EXPECT_THROW(
      select_from_store(real_files(), *parent, {.identities = std::vector<bool>(4)}, folder / "none"),
      ConfigError);
}

TEST(SelectFromStore, LeavesOutSingleImagesAndWhoeverLosesAll) {
  const TemporaryFolder folder;
  const auto parent =
      make_store(folder / "store", {3, 1, 5});  // rows 0 1 2, 3 4, 5 6, 7, 8 of people 0 1 2, 0 2...
  Selection selection = all_of(*parent);
  selection.without = {1, 8, 1};
  const AlsoLeftOut left_out = select_from_store(real_files(), *parent, selection, folder / "out");
  EXPECT_EQ(left_out.emptied, (std::vector<std::int64_t>{1}));
  const auto view = Store::open(folder / "out");
  EXPECT_EQ(view->size(), 7u);
  EXPECT_EQ(names_of(*view), (std::set{planted_name(0), planted_name(2)}));
  EXPECT_EQ(view->rows_of(1).size(), 4u) << "person 2 is label 1 now, and lost one image";
  selection.without = {0, 1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_THROW(select_from_store(real_files(), *parent, selection, folder / "none"), ConfigError);
}

TEST(SelectFromStore, LeavesOutIdentitiesWithFewImages) {
  const TemporaryFolder folder;
  const auto parent = make_store(folder / "store", {3, 4, 1, 0});
  Selection selection = all_of(*parent);
  selection.least_images = 3;
  selection.images_per_identity = 2;
  const AlsoLeftOut left_out = select_from_store(real_files(), *parent, selection, folder / "out");
  EXPECT_EQ(left_out.small, 2u);
  const auto view = Store::open(folder / "out");
  EXPECT_EQ(names_of(*view), (std::set{planted_name(0), planted_name(1)}));
  EXPECT_EQ(view->size(), 4u);
}

TEST(SelectFromStore, TakesTheFirstImagesOfEachWhenLimited) {
  const TemporaryFolder folder;
  const auto parent = make_store(folder / "store", {3, 4, 1});
  auto selection = all_of(*parent);
  selection.images_per_identity = 2;
  select_from_store(real_files(), *parent, selection, folder / "out");
  const auto view = Store::open(folder / "out");
  std::vector<std::byte> mine, theirs;
  for (std::int64_t k = 0; k < 3; ++k) {
    const auto rows = view->rows_of(k), all = parent->rows_of(k);
    ASSERT_EQ(rows.size(), std::min<std::size_t>(2, all.size()));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      view->read(rows[i], mine);
      parent->read(all[i], theirs);
      EXPECT_EQ(mine, theirs);
    }
  }
}

TEST(SelectFromStore, WorksOnAReleasedStoreAndOnAView) {
  const TemporaryFolder folder;
  const auto parent = make_nameless(folder / "store");
  select_from_store(real_files(), *parent, {.identities = {true, false, true}}, folder / "out");
  const auto view = Store::open(folder / "out");
  EXPECT_EQ(view->identities(), 2);
  EXPECT_EQ(view->identity_name(0), "");
  EXPECT_TRUE(view->released());
  select_from_store(real_files(), *view, {.identities = {false, true}}, folder / "deeper/out");
  const auto deeper = Store::open(folder / "deeper/out");
  ASSERT_EQ(deeper->size(), 1u);
  std::vector<std::byte> mine, theirs;
  deeper->read(0, mine);
  parent->read(0, theirs);
  EXPECT_EQ(mine, theirs);
}

TEST(SplitStore, IsIdentityDisjointAndComplete) {
  const TemporaryFolder folder;
  const auto parent = make_store(folder / "parent", {3, 4, 5, 6, 7, 8, 9, 1, 2, 3});
  split_store(real_files(), *parent, 0.3, 5, folder / "a", folder / "b");
  const std::shared_ptr<const Store> sides[] = {Store::open(folder / "a"), Store::open(folder / "b")};
  EXPECT_EQ(sides[0]->identities(), 3);
  EXPECT_EQ(sides[1]->identities(), 7);
  EXPECT_EQ(sides[0]->size() + sides[1]->size(), parent->size());

  std::multiset<std::string> expected, found;
  std::map<std::string, int> side_of_name;
  std::vector<std::byte> encoded;
  const auto describe = [&](const Store& store, std::uint64_t row) {
    store.read(row, encoded);
    return store.identity_name(store.label(row)) + " " + xxh128(encoded).hex();
  };
  for (std::uint64_t row = 0; row < parent->size(); ++row) expected.insert(describe(*parent, row));
  for (int side = 0; side < 2; ++side) {
    const Store& store = *sides[side];
    std::string last;
    for (std::int64_t k = 0; k < store.identities(); ++k) {
      const std::string name = store.identity_name(k);
      EXPECT_LT(last, name) << "labels follow the parent's order";
      last = name;
      EXPECT_TRUE(side_of_name.emplace(name, side).second) << name << " is on both sides";
      EXPECT_FALSE(store.rows_of(k).empty());
    }
    for (std::uint64_t row = 0; row < store.size(); ++row) found.insert(describe(store, row));
    EXPECT_TRUE(verify_store(store.folder()).good());
  }
  EXPECT_EQ(found, expected);
}

/// As users name folders: relative ones, of which those to be made are not there yet.
TEST(SplitStore, WorksOnRelativeFolders) {
  const TemporaryFolder here;
  testing_stores::make_store(here / "all", {1, 2, 1, 1});
  const Path before = std::filesystem::current_path();
  std::filesystem::current_path(here.path());
  split_store(real_files(), *Store::open("all"), 0.5, 1, "parts/a", "b");
  EXPECT_EQ(read_manifest("parts/a").parent, "../../all");
  EXPECT_EQ(Store::open("parts/a")->size() + Store::open("b")->size(), 5u);
  EXPECT_THROW(split_store(real_files(), *Store::open("all"), 0.5, 1, "all", "c"), ConfigError);
  EXPECT_EQ(Store::open("all")->size(), 5u);
  std::filesystem::current_path(before);
}

TEST(SplitStore, DependsOnTheSeedAndRefusesAnEmptySide) {
  const TemporaryFolder folder;
  const auto parent = make_store(folder / "parent", {2, 2, 2, 2, 2, 2, 2, 2, 2, 2});
  std::set<std::string> selections;
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const Path a = folder / ("a" + std::to_string(seed)), b = folder / ("b" + std::to_string(seed));
    split_store(real_files(), *parent, 0.5, seed, a, b);
    const auto store = Store::open(a);
    std::string names;
    for (std::int64_t k = 0; k < store->identities(); ++k) names += store->identity_name(k) + " ";
    selections.insert(names);
  }
  EXPECT_GT(selections.size(), 1U);
  for (const double fraction : {0.0, 1.0, 0.01, 0.99, -1.0}) {
    EXPECT_THROW(split_store(real_files(), *parent, fraction, 1, folder / "c", folder / "d"), ConfigError)
        << fraction;
  }
  EXPECT_THROW(split_store(real_files(), *parent, 0.5, 1, folder / "c", folder / "c"), ConfigError);
}

}  // namespace
}  // namespace facemae
