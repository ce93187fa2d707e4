#include "trainer/apply/pair_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "data/pack/pack.h"
#include "data/upkeep/store_tools.h"
#include "tests/temporary_folder.h"
#include "tests/unit/cluster/world/fake_back_end.h"

namespace facemae {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class PairSetTest : public testing::Test {
 protected:
  const test::TemporaryFolder temporary;
  const Path folder = temporary.path();
  void write(const std::string& name, const std::string& text) const { std::ofstream(folder / name) << text; }
  static std::string picture() {
    const auto png = encode_png(Image{2, 2, std::vector<std::uint8_t>(12, 9)});
    return {reinterpret_cast<const char*>(png.data()), png.size()};
  }
  /// Why pairs.txt does not go with the folder.
  std::string missing() const {
    try {
      pairs_of_folder(folder / "pairs.txt", folder);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "nothing was refused";
  }
};

TEST_F(PairSetTest, ReadsEachNamedFileOnceHoweverManyPairsItIsIn) {
  write("pairs.txt", "a.png b.png 1\na.png c.png 0\nb.png a.png 1\nc.png b.png 0\n");
  for (const std::string name : {"a.png", "b.png", "c.png"}) write(name, "bytes of " + name);
  const PairSet set = pairs_of_folder(folder / "pairs.txt", folder);
  EXPECT_EQ(set.images.size, 3u);
  EXPECT_EQ(set.first, (std::vector<std::int64_t>{0, 0, 1, 2}));
  EXPECT_EQ(set.second, (std::vector<std::int64_t>{1, 2, 0, 1}));
  EXPECT_EQ(set.same, (std::vector<char>{1, 0, 1, 0}));
  const auto third = set.images.read(2);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(third.data()), third.size()), "bytes of c.png");
}

TEST_F(PairSetTest, ASetThatCannotMeasureIsFoundBeforeTraining) {
  for (const std::string name : {"a.png", "b.png", "c.png"}) write(name, picture());
  write("pairs.txt", "a.png b.png 1\na.png c.png 0\n");
  const auto fault = [&](int rank, int ranks) -> std::string {
    try {
      const PairSet set = pairs_of_folder(folder / "pairs.txt", folder);
      check_pairs(set);
      check_images(set, rank, ranks);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(fault(0, 1), "");
  write("b.png", "no picture");
  EXPECT_THAT(fault(0, 1), AllOf(HasSubstr("pairs.txt cannot measure anything, for 1 of its images are bad"),
                                 HasSubstr("b.png")));
  EXPECT_NE(fault(1, 2), "") << "its share";
  EXPECT_EQ(fault(0, 2), "") << "another rank's";
  write("b.png", picture());
  write("pairs.txt", "a.png c.png 1\n");
  EXPECT_THAT(fault(0, 1), HasSubstr("1 pairs, too few"));
  write("pairs.txt", "a.png c.png 1\na.png b.png 1\n");
  EXPECT_THAT(fault(0, 1), HasSubstr("2 pairs that all show the same person"));
}

TEST_F(PairSetTest, ImagesThatAreNotThereAreToldTogether) {
  write("a.png", picture());
  std::string pairs;
  for (int i = 0; i < 7; ++i) pairs += "a.png lost" + std::to_string(i) + ".png 1\n";
  write("pairs.txt", pairs);
  EXPECT_THAT(missing(),
              AllOf(HasSubstr("7 of the 8 images that"), HasSubstr("lost0.png (line 1), lost1.png (line 2)"),
                    HasSubstr("lost4.png (line 5) and 2 more")));
  write("pairs.txt", "Ann Lee\t1\t2\n");
  EXPECT_THAT(missing(), HasSubstr("Ann Lee/Ann Lee_0001.jpg (line 1), Ann Lee/Ann Lee_0002.jpg (line 1)"));
  EXPECT_THROW(pairs_of_folder(folder / "pairs.txt", folder / "nowhere"), ConfigError);
}

TEST_F(PairSetTest, PeopleAndNumbersAreFoundAsDatasetsNameThem) {
  const auto found = [&](const std::string& pairs) {
    write("pairs.txt", pairs);
    std::vector<std::string> names;
    const PairSet set = pairs_of_folder(folder / "pairs.txt", folder);
    for (std::size_t i = 0; i < set.images.size; ++i)
      names.push_back(Path(set.images.name(i)).lexically_relative(folder));
    return names;
  };
  for (const std::string person : {"Ann_Lee", "Bo", "Cy"}) std::filesystem::create_directory(folder / person);
  for (const std::string name :
       {"Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0012.jpg", "Bo/Bo_0001.png", "Bo/Bo_0011.png",
        "Cy/1.png", "Cy/010.jpeg", "Cy/notes_1.txt", "Di_0001.jpg", "Di_2_0001.jpg", "E1.png"})
    write(name, "");
  EXPECT_THAT(found("Ann_Lee\t1\t12\n"), ElementsAre("Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0012.jpg"));
  EXPECT_THAT(found("Bo\t1\tCy\t10\n"), ElementsAre("Bo/Bo_0001.png", "Cy/010.jpeg"));
  EXPECT_THAT(found("Cy 1 Di 1\n"), ElementsAre("Cy/1.png", "Di_0001.jpg"));
  EXPECT_THAT(found("Bo\\Bo_0001.png Bo/Bo_0011.jpg 1\n"), ElementsAre("Bo/Bo_0001.png", "Bo/Bo_0011.png"))
      << "backslashes of Windows, and pictures that were written anew";
  EXPECT_THAT(found("E1 Cy/1 0\n"), ElementsAre("E1.png", "Cy/1.png"));
  write("Cy/01.jpg", "");
  EXPECT_THAT(missing(), HasSubstr("nothing was refused"));
  write("pairs.txt", "Cy 1 Di 1\n");
  EXPECT_THAT(missing(), HasSubstr("image 1 of Cy, which may be")) << "two pictures have the number";
}

TEST_F(PairSetTest, AllSetsThatCannotBeUsedAreToldInOneMessage) {
  const auto world = World::open(test::mpi_alone(), {.device = "cpu"});
  for (const std::string name : {"a.png", "b.png"}) write(name, picture());
  write("good.txt", "a.png b.png 1\na.png a.png 0\n");
  write("lost.txt", "a.png c.png 1\na.png b.png 0\n");
  write("broken.bin", "\x80\x02N.");
  const std::string here = folder.string();
  const auto sets = open_pair_sets(*world,
                                   {{.pairs = here + "/good.txt", .images = here},
                                    {.pairs = here + "/broken.bin"},
                                    {.pairs = here + "/lost.txt", .images = here},
                                    {.pairs = here + "/good.txt", .images = here}},
                                   /*folds=*/0, /*with_images=*/true);
  ASSERT_EQ(sets.size(), 3u) << "the one that is given twice counts once";
  EXPECT_FALSE(sets[0].fault);
  try {
    refuse_faults(sets);
    FAIL();
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::BadData) << "as the first";
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("2 sets of pairs"), HasSubstr("broken.bin"), HasSubstr("lost.txt")));
  }
  EXPECT_NO_THROW(refuse_faults({sets[0]}));
  try {
    refuse_faults(open_pair_sets(*world, {{.pairs = here + "/nowhere.bin"}}, 0, true));
    FAIL();
  } catch (const AgreedError& error) {
    EXPECT_EQ(error.code(), ExitCode::BadConfiguration);
  }
}

TEST_F(PairSetTest, ASetThatCannotBeReadAnyMoreIsAFailureInItsResult) {
  const auto world = World::open(test::mpi_alone(), {.device = "cpu"});
  auto network = make_network("iresnet-tiny");
  network->eval();
  for (const std::string name : {"a.png", "b.png"}) write(name, picture());
  write("pairs.txt", "a.png b.png 1\na.png a.png 0\n");
  const auto sets = open_pair_sets(
      *world, {{.pairs = (folder / "pairs.txt").string(), .images = folder.string()}}, 0, true);
  const EmbedConfig quietly{.show_progress = false};
  const Evaluated before = verify_or_say_why(sets[0], *network, *world, quietly);
  EXPECT_EQ(before.failure, "");
  EXPECT_EQ(before.distances.size(), 2u);
  write("b.png", "no picture");
  EXPECT_THAT(verify_or_say_why(sets[0], *network, *world, quietly).failure,
              AllOf(HasSubstr("pairs.txt, "), HasSubstr("b.png")));
  std::filesystem::remove(folder / "b.png");
  EXPECT_THAT(verify_or_say_why(sets[0], *network, *world, quietly).failure, HasSubstr("b.png"));
  const auto lost = open_pair_sets(
      *world, {{.pairs = (folder / "pairs.txt").string(), .images = folder.string()}}, 0, true);
  EXPECT_THAT(verify_or_say_why(lost[0], *network, *world, quietly).failure, HasSubstr("b.png (line 1)"));
}

TEST_F(PairSetTest, PairsOfRowsNeedTheStoreThatTheyWereMadeFrom) {
  for (const auto& [name, seed] : {std::pair<const char*, std::uint64_t>{"one", 1}, {"two", 2}})
    pack(*synth_source(seed, 0, 6, 4), {.out = folder / name, .source_licence = "", .show_progress = false},
         real_files());
  const auto store = Store::open(folder / "one");
  const PairList list = make_pairs(*store, 2, 8, 0);
  write_pairs(real_files(), folder / "pairs.txt", list, *store);
  const PairSet set = pairs_of_store(folder / "pairs.txt", folder / "one");
  ASSERT_EQ(set.same.size(), 8u);
  for (std::size_t i = 0; i < set.same.size(); ++i) {
    EXPECT_EQ(set.images.name(static_cast<std::size_t>(set.first[i])),
              "row " + std::to_string(list.pairs[i].a));
    EXPECT_EQ(set.images.name(static_cast<std::size_t>(set.second[i])),
              "row " + std::to_string(list.pairs[i].b));
  }
  EXPECT_THROW(pairs_of_store(folder / "pairs.txt", folder / "two"), DataError);
  write("files.txt", "a.jpg b.jpg 1\n");
  EXPECT_THROW(pairs_of_store(folder / "files.txt", folder / "one"), DataError);
  write("rows.txt", "0 1 1\n0 24 0\n");
  EXPECT_THROW(pairs_of_store(folder / "rows.txt", folder / "one"), DataError);  // row 24 of 24 images
}

}  // namespace
}  // namespace facemae
