#include "evaluation/formats/pair_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "core/log.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

using testing::HasSubstr;

/// "a b 1; a c 0 / folds 2": what was understood.
std::string understood(const std::string& text) {
  const auto list = parse_pair_list(text, "pairs.txt");
  const auto name = [&](std::size_t i) {
    const auto& image = list.images[i];
    return image.number ? fmt::format("{}#{}", image.name, *image.number) : image.name;
  };
  std::string out;
  for (const auto& pair : list.pairs)
    out += fmt::format("{}{} {} {}", out.empty() ? "" : "; ", name(pair.first), name(pair.second),
                       pair.same ? 1 : 0);
  return out + fmt::format(" / {}", list.folds);
}
std::string fault(const std::string& text) {
  try {
    return "understood: " + understood(text);
  } catch (const DataError& error) {
    return error.what();
  }
}

TEST(PairList, ReadsPathsAndAnswersHoweverTheyAreSeparated) {
  const std::string expected = "a.jpg b.jpg 1; a.jpg c.jpg 0 / 2";
  for (const std::string text :
       {"a.jpg b.jpg 1\na.jpg c.jpg 0\n", "a.jpg b.jpg 1\r\na.jpg c.jpg 0\r\n",
        "a.jpg b.jpg 1\ra.jpg c.jpg 0", "a.jpg b.jpg 1\na.jpg c.jpg 0",
        "\xEF\xBB\xBF"
        "a.jpg b.jpg 1\na.jpg c.jpg 0\n",
        "a.jpg,b.jpg,1\na.jpg,c.jpg,0\n", "a.jpg, b.jpg, 1\na.jpg, c.jpg, -1\n",
        "a.jpg\tb.jpg\t1\na.jpg\tc.jpg\t-1\n", "a.jpg;b.jpg;1\na.jpg;c.jpg;0\n",
        "  a.jpg   b.jpg 1 \n\n# a comment\na.jpg c.jpg 0\n",
        "\"a.jpg\",\"b.jpg\",\"1\"\n\"a.jpg\",\"c.jpg\",\"0\"\n", "a.jpg b.jpg True\na.jpg c.jpg False\n",
        "a.jpg,b.jpg,1.0\na.jpg,c.jpg,0.0\n", "1 a.jpg b.jpg\n0 a.jpg c.jpg\n",
        "1,a.jpg,b.jpg\n0,a.jpg,c.jpg\n", "2\na.jpg b.jpg 1\na.jpg c.jpg 0\n"})
    EXPECT_EQ(understood(text), expected) << text;
  EXPECT_EQ(understood("my a.jpg\tb c.jpg\t1\nmy a.jpg\td.jpg\t0\n"),
            "my a.jpg b c.jpg 1; my a.jpg d.jpg 0 / 2");
  EXPECT_EQ(understood("\"my a.jpg\" b.jpg 1\n\"a, \"\"b\"\".jpg\" d.jpg 0\n"),
            "my a.jpg b.jpg 1; a, \"b\".jpg d.jpg 0 / 2");
  EXPECT_EQ(understood("a,1.jpg b.jpg 1\na,1.jpg c,2.jpg 0\n"), "a,1.jpg b.jpg 1; a,1.jpg c,2.jpg 0 / 2");
}

TEST(PairList, FindsTheColumnsOfAHeadingByName) {
  const std::string expected = "a.jpg b.jpg 1; a.jpg c.jpg 0 / 2";
  for (const std::string text :
       {"path1,path2,same\na.jpg,b.jpg,1\na.jpg,c.jpg,0\n",
        "label,image_2,image_1\n1,b.jpg,a.jpg\n0,c.jpg,a.jpg\n",
        "Path_A\tPath_B\tIsSame\na.jpg\tb.jpg\tTrue\na.jpg\tc.jpg\tFalse\n",
        ",path1,path2,fold,label\n0,a.jpg,b.jpg,0,1\n1,a.jpg,c.jpg,0,0\n",
        "left;right;label\na.jpg;b.jpg;1\na.jpg;c.jpg;0\n", "a b same\na.jpg b.jpg 1\na.jpg c.jpg 0\n"})
    EXPECT_EQ(understood(text), expected) << text;
}

TEST(PairList, ReadsTheListsOfLfw) {
  const std::string expected = "Ann#1 Ann#2 1; Ann#1 Bo#3 0; Bo#3 Bo#1 1; Bo#1 Cy#12 0 / 2";
  EXPECT_EQ(understood("2\t1\nAnn\t1\t2\nAnn\t1\tBo\t3\nBo\t3\t1\nBo\t1\tCy\t12\n"), expected);
  EXPECT_EQ(understood("2 1\r\nAnn 1 2\r\nAnn 1 Bo 3\r\nBo 3 1\r\nBo 1 Cy 12"), expected);
  // Of one kind and then the other, as in the lists for development: each kind is dealt to the folds.
  for (const std::string heading : {"2\n", "", "name,imagenum1,imagenum2,\n", "1\t2\n"})
    EXPECT_EQ(understood(heading + "Ann\t1\t2\nBo\t3\t1\nAnn\t1\tBo\t3\nBo\t1\tCy\t12\n"), expected)
        << heading;
  EXPECT_EQ(understood("name,imagenum1,imagenum2,imagenum4\nAnn,1,4,\nAnn,1,Bo,2\n"),
            "Ann#1 Ann#4 1; Ann#1 Bo#2 0 / 2");
  EXPECT_EQ(understood("Ann Lee\t1\t2\nAnn Lee\t1\tBo\t1\n"), "Ann Lee#1 Ann Lee#2 1; Ann Lee#1 Bo#1 0 / 2")
      << "blanks";
  EXPECT_EQ(understood("Ann\t1\tAnn\t2\nAnn\t1\tBo\t2\n"), "Ann#1 Ann#2 1; Ann#1 Bo#2 0 / 2")
      << "one person, named twice";
  EXPECT_EQ(understood("Ann 1 1\nBo 1 4\n"), "Ann#1 Ann#1 1; Bo#1 Bo#4 1 / 2") << "an image with itself";
  EXPECT_THAT(fault("10 300\nAnn 1 2\nAnn 1 Bo 1\n"),
              HasSubstr("announces 10 folds of 300 pairs of each kind, 2 pairs follow"));
  EXPECT_THAT(fault("5\nAnn 1 2\nAnn 1 Bo 1\n"), HasSubstr("announces 5 pairs of each kind, 2 pairs follow"));
  EXPECT_THAT(fault("1 1\nAnn 1 2\nAnn x.jpg 1\n"), HasSubstr("line 3"));
  EXPECT_THAT(fault("Ann Lee 1 2\nAnn Lee 1 Bo 1\n"),
              HasSubstr("tabs or commas between them where paths have blanks"));
}

TEST(PairList, ReadsTheListsOfCalfwAndCplfw) {
  EXPECT_EQ(understood("a.jpg 1\nb.jpg 1\na.jpg 0\nc.jpg 0\n"), "a.jpg b.jpg 1; a.jpg c.jpg 0 / 2");
  EXPECT_EQ(understood("a.jpg 1\nb.jpg 1\nc.jpg 2\nd.jpg 2\na.jpg 0\nc.jpg 0\nb.jpg 0\nd.jpg 0\n"),
            "a.jpg b.jpg 1; a.jpg c.jpg 0; c.jpg d.jpg 1; b.jpg d.jpg 0 / 2")
      << "by folds";
  EXPECT_THAT(fault("a.jpg 1\nb.jpg 2\n"), HasSubstr("does not go with line 1"));
  EXPECT_THAT(fault("a.jpg 1\nb.jpg 1\nc.jpg 1\n"), HasSubstr("line 3"));
  EXPECT_THAT(fault("a 1\nb 1\nc 1\nd 1\ne 2\nf 2\na 0\nc 0\nb 0\nd 0\n"),
              HasSubstr("fold 2 has 1 and fold 1 has 2"));
}

TEST(PairList, KeepsTheFoldsThatItStates) {
  const std::string rows = "# facemae pairs: folds 2, store 0123\n1 2 1\n3 4 0\n";
  const auto list = parse_pair_list(rows, "pairs.txt");
  EXPECT_EQ(list.folds, 2);
  EXPECT_EQ(list.store_digest, "0123");
  EXPECT_EQ(list.images[3].name, "4");
  EXPECT_EQ(list.images[3].line, 3u);
  EXPECT_THAT(fault(rows + "5 6 1\n"), HasSubstr("3 pairs, which 2 folds do not divide"));
  const auto folds_of = [](int pairs) {
    std::string text;
    for (int i = 0; i < pairs; ++i) text += fmt::format("{} {} {}\n", 2 * i, 2 * i + 1, i % 2);
    return parse_pair_list(text, "pairs.txt").folds;
  };
  EXPECT_EQ(folds_of(600), 10);
  EXPECT_EQ(folds_of(27), 9);
  EXPECT_EQ(folds_of(997), 10) << "that nothing divides: the first folds are one longer";
  EXPECT_EQ(folds_of(1), 1);
}

TEST(PairList, NamesTheBadLine) {
  for (const std::string text :
       {"1 2 1\n3 4 2\n", "1 2 1\n3 4\n", "1 2 1\n1 2 1 7\n", "a.jpg b.jpg 1\na.jpg b.jpg 2\n",
        "a.jpg,b.jpg,1\na.jpg,,1\n", "path1,path2,same\na.jpg,b.jpg\n", "path1,path2,same\n1\n",
        "a b 1\n\"a b 1\n"})
    EXPECT_THAT(fault(text), HasSubstr("line 2 of the pairs pairs.txt")) << text;
  EXPECT_THAT(fault("a.png b.png 2\n"), HasSubstr("line 1"));
  EXPECT_THAT(fault(""), HasSubstr("no line of a pair"));
  EXPECT_THAT(fault("# only a comment\n\n"), HasSubstr("no line of a pair"));
  EXPECT_THAT(fault("path1,path2,same\n"), HasSubstr("no line of a pair"));
  EXPECT_THAT(fault(std::string("\xFF\xFE"
                                "a\0",
                                4)),
              HasSubstr("UTF-16"));
  EXPECT_THAT(fault(std::string("\x80\x04](", 4)), HasSubstr("a verification pack"));
}

TEST(PairList, IsReadFromItsFile) {
  const test::TemporaryFolder folder;
  std::ofstream(folder.path() / "pairs.txt") << "a.jpg b.jpg 1\n";
  EXPECT_EQ(read_pair_list(folder.path() / "pairs.txt").images.size(), 2u);
  EXPECT_THROW(read_pair_list(folder.path() / "nowhere.txt"), FileError);
  EXPECT_THROW(read_pair_list(folder.path()), FileError);
}

}  // namespace
}  // namespace facemae
