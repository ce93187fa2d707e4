#include "data/release/release.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "data/upkeep/store_tools.h"
#include "data/upkeep/store_verify.h"
#include "tests/unit/data/release/released.h"

namespace facemae {
namespace {

using namespace released;

std::string little_endian(std::uint64_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

TEST(Release, HoldsNothingOfTheSourceButImagesLabelsAndLicence) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "zz-source", {5, 7, 6, 9});
  const Path out = folder / "released", hidden = folder / "hidden";
  release(*source, out, hidden);
  const std::string uuid = ledger(hidden).at(0).uuid;
  const ReleaseSecret secret = load_secret(PrivateFolder(hidden), uuid);

  std::map<std::string, std::string> planted;  // what, bytes
  const auto plant_number = [&](const std::string& what, std::uint64_t value) {
    planted[what + " in decimal"] = std::to_string(value);
    planted[what + " as bytes"] = little_endian(value);
  };
  planted["identity names"] = "planted-name";
  planted["file names"] = "planted-file";
  planted["user name"] = testing_stores::kUser;
  planted["time"] = "2031-02-03";
  planted["source folder"] = "zz-source";
  planted["source uuid"] = "11111111-2222-4333-8444-555555555555";
  planted["source digest"] = source->dataset_digest().hex();
  planted["source digest as bytes"] = little_endian(source->dataset_digest().low);
  plant_number("ingest seed", testing_stores::kIngestSeed);
  for (const auto& [what, key] : {std::pair("key", secret.key), std::pair("mask key", secret.mask_key())}) {
    planted[what + std::string(" in hexadecimal")] = key.hex();
    planted[what + std::string(" as bytes")] = {reinterpret_cast<const char*>(key.bytes.data()),
                                                key.bytes.size()};
  }
  std::vector<std::byte> encoded;
  for (std::uint64_t row = 0; row < source->size(); ++row) {
    planted["source key of row " + std::to_string(row)] = little_endian(testing_stores::planted_key(row));
    source->read(row, encoded);
    planted["image of row " + std::to_string(row)] = {reinterpret_cast<const char*>(encoded.data()),
                                                      encoded.size()};
  }

  // The test can fail: all but the derived things are in the bytes of the source.
  std::string source_bytes, released_bytes;
  const auto gather = [](const Path& root, std::string& bytes) {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      names.insert(entry.path().filename().string());
      bytes += entry.path().filename().string() + "\n" + read_file(entry.path());
    }
    return names;
  };
  gather(folder / "zz-source", source_bytes);
  for (const char* what : {"identity names", "user name", "time", "source uuid", "ingest seed as bytes",
                           "source key of row 3", "image of row 3"}) {
    EXPECT_NE(source_bytes.find(planted.at(what)), std::string::npos) << what << " is not even in the source";
  }
  const auto names = gather(out, released_bytes);
  EXPECT_EQ(names,
            (std::set<std::string>{"RELEASE.md", "identities.h5", "manifest.h5", "manifest.json",
                                   "shard-00000.h5", "shard-00001.h5", "shard-00002.h5", "shard-00003.h5"}));
  for (const auto& [what, bytes] : planted) {
    EXPECT_EQ(released_bytes.find(bytes), std::string::npos) << what << " is in the release";
  }
  EXPECT_NE(released_bytes.find("for research only"), std::string::npos);
}

TEST(Release, IsAStoreWithRenumberedLabelsAndALink) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", {5, 7, 6, 9});
  const Path out = folder / "released", hidden = folder / "hidden";
  const ReleasePlan plan = release(*source, out, hidden);
  const auto store = Store::open(out);
  EXPECT_TRUE(store->released());
  EXPECT_EQ(store->size(), source->size());
  EXPECT_EQ(store->identities(), 4);
  EXPECT_EQ(store->identity_name(0), "");
  EXPECT_TRUE(verify_store(store->folder()).good());

  const ReleaseLink link = read_link(hidden);
  EXPECT_EQ(link.source_digest, source->dataset_digest().hex());
  EXPECT_EQ(link.released_digest, store->dataset_digest().hex());
  EXPECT_EQ(link.source_rows, plan.source_rows);
  std::map<std::int64_t, std::int64_t> meaning;
  std::set<std::int64_t> sources;
  std::vector<std::byte> encoded;
  for (std::uint64_t row = 0; row < store->size(); ++row) {
    const std::int64_t label = source->label(link.source_rows[row]);
    EXPECT_EQ(meaning.emplace(store->label(row), label).first->second, label);
    sources.insert(label);
    store->read(row, encoded);
    EXPECT_EQ(encoded, tiny_picture(1'000'000 + link.source_rows[row]));
  }
  EXPECT_EQ(meaning.size(), 4U);
  EXPECT_EQ(sources.size(), 4U);

  const std::string text = read_file(out / "RELEASE.md");
  for (const char* said :
       {"c0ffee", "0.75", "| images | 27 |", "| identities | 4 |", "0.1.0", "for research only",
        "No formal privacy guarantee; treat as personal data until a qualified person decides"}) {
    EXPECT_NE(text.find(said), std::string::npos) << said;
  }
}

TEST(Release, DrawsOrderAndLabelsAnewEachTime) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", std::vector<std::uint64_t>(12, 6));
  std::set<std::vector<std::uint64_t>> orders;
  std::set<std::vector<std::int64_t>> labels;
  for (int i = 0; i < 3; ++i) {
    const std::string name = std::to_string(i);
    const auto secret = begin(folder / ("hidden" + name), folder / ("out" + name), *source);
    const auto plan = plan_release(*source, secret, {}, 100), again = plan_release(*source, secret, {}, 100);
    EXPECT_EQ(plan.source_rows, again.source_rows);
    EXPECT_EQ(plan.labels, again.labels);
    orders.insert(plan.source_rows);
    labels.insert(plan.labels);
    std::set<std::uint64_t> rows(plan.source_rows.begin(), plan.source_rows.end());
    EXPECT_EQ(rows.size(), source->size());
  }
  EXPECT_EQ(orders.size(), 3U);
  EXPECT_EQ(labels.size(), 3U);
}

TEST(Release, CanHoldEquallyManyImagesOfEachIdentity) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", {5, 2, 6, 9});
  const auto plan = release(*source, folder / "out", folder / "hidden", "", 5);
  EXPECT_EQ(plan.identities, 3);  // the identity with two images is left out
  std::map<std::int64_t, int> counts;
  for (const std::int64_t label : plan.labels) ++counts[label];
  EXPECT_EQ(counts, (std::map<std::int64_t, int>{{0, 5}, {1, 5}, {2, 5}}));
  EXPECT_THROW(begin(folder / "hidden2", folder / "out2", *source, "", 10), ConfigError);
}

TEST(Release, ShowsOneOfEachGroupOfEqualOriginals) {
  const TemporaryFolder folder;
  // Rows 0, 1, 4 show one picture, of both people; identity 2 has nothing but a copy.
  const auto source = make_store(folder / "source", {3, 3, 1}, 16, [](std::uint64_t row) {
    return tiny_picture(row == 1 || row == 2 || row == 4 ? 0 : row);
  });
  EXPECT_EQ(choice_of(*source).copies, (std::vector<std::uint64_t>{1, 2, 4}));
  const auto plan = release(*source, folder / "out", folder / "hidden");
  std::set<std::uint64_t> rows(plan.source_rows.begin(), plan.source_rows.end());
  EXPECT_EQ(rows, (std::set<std::uint64_t>{0, 3, 5, 6}));
  EXPECT_EQ(plan.identities, 2);
  EXPECT_EQ(Store::open(folder / "out")->size(), 4U);
}

TEST(Release, GoesOnAfterAnInterruptionWithItsSecret) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", {9, 9, 9});
  const Path out = folder / "out", hidden = folder / "hidden";
  const auto secret = begin(hidden, out, *source);
  const auto plan = plan_release(*source, secret, {}, 8);
  ASSERT_EQ(plan.shards(), 4U);
  EXPECT_FALSE(release_shard_done(out, secret, plan, 0));
  write_release_shard(real_files(), out, secret, plan, 0, rebuilt(plan, 0), 16);
  write_release_shard(real_files(), out, secret, plan, 2, rebuilt(plan, 2), 16);
  // Killed here. Elsewhere it would be a second release of what may have been seen already.
  EXPECT_THROW(begin(hidden, folder / "elsewhere", *source), ReleaseRefused);
  EXPECT_THROW(Store::open(out), DataError);
  const auto again = begin(hidden, out, *source);
  EXPECT_EQ(again.uuid, secret.uuid);
  EXPECT_EQ(again.key, secret.key);
  EXPECT_TRUE(release_shard_done(out, again, plan, 0));
  EXPECT_FALSE(release_shard_done(out, again, plan, 1));
  EXPECT_TRUE(release_shard_done(out, again, plan, 2));
  {
    PrivateFolder open(hidden);
    EXPECT_THROW(finish_release(real_files(), out, open, again, plan, kNotes, *source), Error);
  }
  release(*source, out, hidden);
  EXPECT_EQ(Store::open(out)->size(), source->size());
}

TEST(Release, KeepsItsSecretOutOfTheReleaseFolder) {
  const TemporaryFolder folder;
  EXPECT_THROW(check_separate(folder / "out/hidden", folder / "out"), ConfigError);
  EXPECT_THROW(check_separate(folder / "hidden", folder / "hidden/out"), ConfigError);
  EXPECT_THROW(check_separate(folder / "out", folder / "out"), ConfigError);
  EXPECT_THROW(check_separate(folder / "x/../out/hidden/", folder / "out/"), ConfigError);
  std::filesystem::create_directories(folder / "out");
  std::filesystem::create_directory_symlink(folder / "out", folder / "alias");
  EXPECT_THROW(check_separate(folder / "alias/hidden", folder / "out"), ConfigError);
  EXPECT_NO_THROW(
      check_separate(folder / "out-private", folder / "out"));  // a sibling whose name begins alike
}

TEST(Release, RefusesAFolderThatHoldsOtherFiles) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", {3, 3});
  std::filesystem::create_directories(folder / "out");
  write_durably(real_files(), folder / "out/names.txt", std::string("who is who"));
  EXPECT_THROW(begin(folder / "hidden", folder / "out", *source), ConfigError);
  EXPECT_FALSE(std::filesystem::exists(folder / "hidden")) << "what was made for nothing goes";
}

TEST(Release, ClosesEveryPrivateFileWhateverTheUmask) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", {3, 3});
  const mode_t before = ::umask(0);
  release(*source, folder / "out", folder / "hidden");
  release(*source, folder / "out2", folder / "hidden", "again");
  ::umask(before);
  std::set<std::string> kinds;
  struct stat info {};
  ASSERT_EQ(::stat((folder / "hidden").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0700U);
  for (const auto& entry : std::filesystem::directory_iterator(folder / "hidden")) {
    ASSERT_EQ(::lstat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << entry.path();
    kinds.insert(entry.path().filename().string().substr(0, 5));
  }
  EXPECT_EQ(kinds, (std::set<std::string>{"image", "ledge", "link-", "link.", "secre"}));
}

}  // namespace
}  // namespace facemae
