#include "data/release.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "core/keys.h"
#include "data/release_ledger.h"
#include "data/store_tools.h"
#include "data/store_verify.h"
#include "tests/unit/data/small_store.h"

namespace facemae {
namespace {

using testing_stores::make_store;
using testing_stores::TemporaryFolder;
using testing_stores::tiny_picture;

const ReleaseNotes kNotes{.model_hash = "c0ffee",
                          .software_version = "0.1.0",
                          .source_licence = "for research only",
                          .mask_ratio = 0.75};

/// Pictures that stand for the rebuilt ones of a shard: other pixels than the source's.
std::vector<std::vector<std::byte>> rebuilt(const ReleasePlan& plan, std::uint64_t shard) {
  std::vector<std::vector<std::byte>> encoded;
  const std::size_t end = std::min<std::size_t>(plan.source_rows.size(), (shard + 1) * plan.shard_images);
  for (std::size_t i = shard * plan.shard_images; i < end; ++i) {
    encoded.push_back(tiny_picture(1'000'000 + plan.source_rows[i]));
  }
  return encoded;
}

ReleasePlan release(const Store& source, const Path& out, const Path& folder, const std::string& reason = "",
                    std::uint64_t per_identity = 0) {
  const ReleaseSecret secret = open_private(real_files(), folder, out, source, reason);
  ReleasePlan plan = plan_release(source, secret, per_identity, 8);
  for (std::uint64_t shard = 0; shard < plan.shards(); ++shard) {
    if (release_shard_done(out, secret, plan, shard)) continue;
    write_release_shard(real_files(), out, secret, plan, shard, rebuilt(plan, shard), 16);
  }
  finish_release(real_files(), out, folder, secret, plan, kNotes, source);
  return plan;
}

std::string little_endian(std::uint64_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

TEST(Release, HoldsNothingOfTheSourceButImagesLabelsAndLicence) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "zz-source", {5, 7, 6, 9});
  const Path out = folder / "released", hidden = folder / "hidden";
  release(*source, out, hidden);
  const ReleaseSecret secret = [&] {  // as kept in the private folder
    const auto entry = read_ledger(hidden).at(0);
    ReleaseSecret s;
    const std::string text = read_file(hidden / ("secret-" + entry.uuid + ".json"));
    const auto number = [&](const std::string& name) {
      return std::stoull(text.substr(text.find(':', text.find("\"" + name + "\"")) + 1));
    };
    s.mask_seed = number("mask_seed");
    s.label_seed = number("label_seed");
    s.order_seed = number("order_seed");
    return s;
  }();

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
  plant_number("mask seed", secret.mask_seed);
  plant_number("label seed", secret.label_seed);
  plant_number("order seed", secret.order_seed);
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
    const auto secret =
        open_private(real_files(), folder / ("hidden" + name), folder / ("out" + name), *source, "");
    const auto plan = plan_release(*source, secret, 0, 100), again = plan_release(*source, secret, 0, 100);
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
  const auto secret = open_private(real_files(), folder / "hidden2", folder / "out2", *source, "");
  EXPECT_THROW(plan_release(*source, secret, 10, 8), ConfigError);
}

TEST(Release, IsRefusedASecondTimeWithoutAReason) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", {5, 7});
  const auto other = make_store(folder / "other", {5, 8});
  const Path hidden = folder / "hidden";
  release(*source, folder / "out", hidden);
  const std::string first = Store::open(folder / "out")->dataset_digest().hex();
  EXPECT_THROW(open_private(real_files(), hidden, folder / "out2", *source, ""), ReleaseRefused);
  // The finished release once more, by its own secret: the same faces. A reason does not draw another one
  // over it.
  EXPECT_EQ(open_private(real_files(), hidden, folder / "out", *source, "").uuid,
            read_ledger(hidden)[0].uuid);
  EXPECT_EQ(open_private(real_files(), hidden, folder / "out", *source, "a better model").uuid,
            read_ledger(hidden)[0].uuid);
  EXPECT_NO_THROW(open_private(real_files(), hidden, folder / "out3", *other, ""));

  release(*source, folder / "out2", hidden, "a better model");
  const auto entries = read_ledger(hidden);
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[2].reason, "a better model");
  EXPECT_TRUE(entries[0].finished);
  EXPECT_FALSE(entries[1].finished);
  EXPECT_TRUE(entries[2].finished);
  EXPECT_NE(entries[0].uuid, entries[2].uuid);
  EXPECT_EQ(read_link(hidden).released_digest, Store::open(folder / "out2")->dataset_digest().hex());
  EXPECT_TRUE(std::filesystem::exists(hidden / ("link-" + entries[0].uuid + ".h5")));
}

TEST(Release, GoesOnAfterAnInterruptionWithItsSecret) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", {9, 9, 9});
  const Path out = folder / "out", hidden = folder / "hidden";
  const auto secret = open_private(real_files(), hidden, out, *source, "");
  const auto plan = plan_release(*source, secret, 0, 8);
  ASSERT_EQ(plan.shards(), 4U);
  EXPECT_FALSE(release_shard_done(out, secret, plan, 0));
  write_release_shard(real_files(), out, secret, plan, 0, rebuilt(plan, 0), 16);
  write_release_shard(real_files(), out, secret, plan, 2, rebuilt(plan, 2), 16);
  // Killed here. Elsewhere it would be a second release of what may have been seen already.
  EXPECT_THROW(open_private(real_files(), hidden, folder / "elsewhere", *source, ""), ReleaseRefused);
  EXPECT_THROW(Store::open(out), DataError);
  const auto again = open_private(real_files(), hidden, out, *source, "");
  EXPECT_EQ(again.uuid, secret.uuid);
  EXPECT_EQ(again.mask_seed, secret.mask_seed);
  EXPECT_EQ(again.label_seed, secret.label_seed);
  EXPECT_EQ(again.order_seed, secret.order_seed);
  EXPECT_TRUE(release_shard_done(out, again, plan, 0));
  EXPECT_FALSE(release_shard_done(out, again, plan, 1));
  EXPECT_TRUE(release_shard_done(out, again, plan, 2));
  EXPECT_THROW(finish_release(real_files(), out, hidden, again, plan, kNotes, *source), Error);
  release(*source, out, hidden);
  EXPECT_EQ(Store::open(out)->size(), source->size());
}

TEST(Release, KeepsItsSecretOutOfTheReleaseFolder) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", {3, 3});
  EXPECT_THROW(open_private(real_files(), folder / "out/hidden", folder / "out", *source, ""), ConfigError);
  EXPECT_THROW(open_private(real_files(), folder / "hidden", folder / "hidden/out", *source, ""),
               ConfigError);
  EXPECT_THROW(open_private(real_files(), folder / "out", folder / "out", *source, ""), ConfigError);
  EXPECT_THROW(open_private(real_files(), folder / "x/../out/hidden/", folder / "out/", *source, ""),
               ConfigError);
  std::filesystem::create_directories(folder / "out");
  std::filesystem::create_directory_symlink(folder / "out", folder / "alias");
  EXPECT_THROW(open_private(real_files(), folder / "alias/hidden", folder / "out", *source, ""), ConfigError);
  EXPECT_FALSE(std::filesystem::exists(folder / "out/hidden"));

  // A sibling whose name begins alike is no folder inside; a lax mode is tightened.
  std::filesystem::create_directories(folder / "out-private");
  ASSERT_EQ(::chmod((folder / "out-private").c_str(), 0755), 0);
  open_private(real_files(), folder / "out-private", folder / "out", *source, "");
  struct stat info {};
  ASSERT_EQ(::stat((folder / "out-private").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
}

TEST(Release, RefusesAFolderThatHoldsOtherFiles) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", {3, 3});
  std::filesystem::create_directories(folder / "out");
  write_durably(real_files(), folder / "out/names.txt", std::string("who is who"));
  EXPECT_THROW(open_private(real_files(), folder / "hidden", folder / "out", *source, ""), ConfigError);
}

}  // namespace
}  // namespace facemae
