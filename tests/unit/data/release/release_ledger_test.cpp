#include "data/release/release_ledger.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "data/upkeep/store_tools.h"
#include "tests/unit/data/release/released.h"

namespace facemae {
namespace {

using namespace released;

std::string refusal(const Path& folder, const Path& out, const Store& source,
                    std::uint64_t per_identity = 0) {
  try {
    begin(folder, out, source, "", per_identity);
  } catch (const ReleaseRefused& error) {
    return error.what();
  }
  return "";
}

TEST(Release, IsRefusedASecondTimeWithoutAReason) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", {5, 7});
  const auto other =
      make_store(folder / "other", {5, 8}, 16, [](std::uint64_t row) { return tiny_picture(500 + row); });
  const Path hidden = folder / "hidden";
  release(*source, folder / "out", hidden);
  EXPECT_NE(refusal(hidden, folder / "out2", *source).find("12 of its 12 faces"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(folder / "out2"));
  // The finished release once more, by its own secret: the same faces. A reason does not draw
  // another one over it.
  EXPECT_EQ(begin(hidden, folder / "out", *source).uuid, ledger(hidden)[0].uuid);
  EXPECT_EQ(begin(hidden, folder / "out", *source, "a better model").uuid, ledger(hidden)[0].uuid);
  EXPECT_NO_THROW(begin(hidden, folder / "out3", *other));

  release(*source, folder / "out2", hidden, "a better model");
  const auto entries = ledger(hidden);
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[2].reason, "a better model");
  EXPECT_TRUE(entries[0].finished);
  EXPECT_FALSE(entries[1].finished);
  EXPECT_TRUE(entries[2].finished);
  EXPECT_NE(entries[0].uuid, entries[2].uuid);
  EXPECT_EQ(read_link(hidden).released_digest, Store::open(folder / "out2")->dataset_digest().hex());
  EXPECT_TRUE(std::filesystem::exists(hidden / ("link-" + entries[0].uuid + ".h5")));
}

TEST(Release, IsRefusedForAnyImageThatWasReleasedHoweverItIsStored) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", {5, 2, 6});
  const Path hidden = folder / "hidden";
  release(*source, folder / "out", hidden);
  const auto tells = [&](const Store& store, const std::string& said) {
    const std::string told = refusal(hidden, folder / "again", store);
    EXPECT_NE(told.find(said), std::string::npos) << told;
  };
  // A subset, a view without one person, and a store of its own of it.
  select_from_store(real_files(), *source, {.identities = {true, true, true}, .images_per_identity = 1},
                    folder / "subset");
  tells(*Store::open(folder / "subset"), "3 of its 3 faces");
  select_from_store(real_files(), *source, {.identities = {true, false, true}}, folder / "kept");
  tells(*Store::open(folder / "kept"), "11 of its 11 faces");
  compact_store(real_files(), folder / "kept", folder / "compact");
  tells(*Store::open(folder / "compact"), "11 of its 11 faces");
  // Packed again in another order, among new images.
  const auto packed =
      make_store(folder / "packed", {8, 8}, 16, [](std::uint64_t row) { return tiny_picture(20 - row); });
  tells(*packed, "8 of its 16 faces");
  const auto fresh =
      make_store(folder / "fresh", {4, 4}, 16, [](std::uint64_t row) { return tiny_picture(900 + row); });
  EXPECT_EQ(refusal(hidden, folder / "fresh-out", *fresh), "");
  // Another folder's ledger knows nothing of it: docs/METHOD.md says so.
  EXPECT_EQ(refusal(folder / "other-hidden", folder / "elsewhere", *source), "");
}

TEST(Release, KnowsOnlyTheImagesThatItShows) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", {3, 3});
  const auto plan = release(*source, folder / "out", folder / "hidden", "", 1);
  ASSERT_EQ(plan.source_rows.size(), 2U);
  EXPECT_NE(refusal(folder / "hidden", folder / "again", *source).find("2 of its 6 faces"),
            std::string::npos);
}

TEST(Release, TakesALedgerWithoutListsForOneOfTheSameFaces) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", {5, 7}), other = make_store(folder / "other", {3, 8});
  const Path hidden = folder / "hidden";
  release(*source, folder / "out", hidden);
  const std::string uuid = ledger(hidden)[0].uuid;
  {  // as an older version left it
    PrivateFolder open(hidden);
    auto entries = read_ledger(open);
    entries[0].images.reset();
    write_ledger(open, entries);
    open.remove("images-" + uuid + ".bin");
    open.write("secret-" + uuid + ".json",
               std::string(R"({"mask_seed": 1, "label_seed": 2, "order_seed": 3, "uuid": "u", "out": "o"})"));
  }
  const std::string told = refusal(hidden, folder / "other-out", *other);
  EXPECT_NE(told.find("older version"), std::string::npos) << told;
  EXPECT_NO_THROW(begin(hidden, folder / "other-out", *other, "they are others"));
  try {  // nor can it be gone on with
    begin(hidden, folder / "out", *source);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("older version"), std::string::npos) << error.what();
  }
  EXPECT_EQ(read_link(hidden).source_rows.size(), 12U) << "but it can be audited";
}

TEST(Release, MissesAListThatWasLost) {
  const TemporaryFolder folder;
  const auto source = make_store(folder / "source", {5, 7}), other = make_store(folder / "other", {3, 8});
  release(*source, folder / "out", folder / "hidden");
  std::filesystem::resize_file(folder / "hidden" / ("images-" + ledger(folder / "hidden")[0].uuid + ".bin"),
                               320);
  EXPECT_THROW(begin(folder / "hidden", folder / "other-out", *other), DataError);
}

}  // namespace
}  // namespace facemae
