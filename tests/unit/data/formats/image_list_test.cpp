#include "data/formats/image_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/why.h"

namespace facemae {
namespace {

using test::why;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> listed(std::string_view text, std::string* note = nullptr) {
  std::vector<std::string> rows;
  TextLines lines(text, "list");
  const std::string told = read_image_list(
      lines, [&](auto path, auto label) { rows.push_back(std::string(path) + " -> " + std::string(label)); });
  if (note != nullptr) *note = told;
  return rows;
}
std::string list_fault(std::string_view text) {
  return why<DataError>([&] { listed(text); });
}

TEST(ImageList, HasTwoColumns) {
  EXPECT_THAT(listed("a.jpg 1\nsome where/b.jpg 2 \nc.jpg\t3\n"),
              ElementsAre("a.jpg -> 1", "some where/b.jpg -> 2", "c.jpg -> 3"));
  EXPECT_THAT(listed("# comment\n\n000001.jpg 2880\n"), ElementsAre("000001.jpg -> 2880"));
  EXPECT_THAT(listed("a.jpg,Ann Lee\r\n/abs/b.webp , 2\r\n"),
              ElementsAre("a.jpg -> Ann Lee", "/abs/b.webp -> 2"));
  EXPECT_THAT(listed("some where/a.jpg\tAnn Lee\t\nb.jpg\tBob\n"),
              ElementsAre("some where/a.jpg -> Ann Lee", "b.jpg -> Bob"));
  EXPECT_THAT(listed("\"a, b.jpg\";\"Ann \"\"A\"\" Lee\"\n"), ElementsAre("a, b.jpg -> Ann \"A\" Lee"));
  EXPECT_THAT(listed("\"a b.jpg\" \"Ann Lee\"\nc.jpg Bob\n"),
              ElementsAre("a b.jpg -> Ann Lee", "c.jpg -> Bob"));
  EXPECT_THAT(listed("a.jpg 1\nno_ending 2\n"), ElementsAre("a.jpg -> 1", "no_ending -> 2"));
}

TEST(ImageList, TakesTheColumnsThatAHeaderNames) {
  EXPECT_THAT(listed("path,label\na,1\n"), ElementsAre("a -> 1"));
  EXPECT_THAT(listed("\xEF\xBB\xBFimage_id,identity\n000001.jpg,5\n"), ElementsAre("000001.jpg -> 5"));
  EXPECT_THAT(listed("Image Path;CLASS-ID\na.jpg;5\n"), ElementsAre("a.jpg -> 5"));
  EXPECT_THAT(listed("image_id identity\na b.jpg 5\n"), ElementsAre("a b.jpg -> 5"));
  EXPECT_THAT(listed("label\tpath\n5\ta.jpg\n"), ElementsAre("a.jpg -> 5"));
  EXPECT_THAT(listed("id,label\na.jpg,5\n"), ElementsAre("a.jpg -> 5"));
  EXPECT_THAT(listed("Image,Id\na.jpg,w_5\n"), ElementsAre("a.jpg -> w_5"));
  EXPECT_THAT(listed("sep=;\nfile;name\na,b.jpg;Ann\n"), ElementsAre("a,b.jpg -> Ann"));
  std::string note;
  EXPECT_THAT(listed("id,path,label,split\n0,a.jpg,5,train\n", &note), ElementsAre("a.jpg -> 5"));
  EXPECT_EQ(note, "column \"path\" is taken as the path, \"label\" as the label; 2 other(s) are left out");
  EXPECT_THAT(listed(",path,label\n0,a.jpg,5\n"), ElementsAre("a.jpg -> 5"));  // pandas' index
  EXPECT_THAT(listed("path,label\n"), ElementsAre());
}

TEST(ImageList, OfManyColumnsIsRead) {
  std::string header = "path,label", row = "a.jpg,5";
  for (int i = 0; i < 998; ++i) header += ",c" + std::to_string(i), row += ",x";
  EXPECT_THAT(listed(header + "\n" + row), ElementsAre("a.jpg -> 5"));
}

TEST(ImageList, RefusesAHeaderThatIsNotClear) {
  EXPECT_THAT(list_fault("foo,bar\na.jpg,1\n"),
              AllOf(HasSubstr("list, line 1"), HasSubstr("foo, bar"), HasSubstr("path")));
  EXPECT_THAT(list_fault("foo bar\na 1\n"), HasSubstr("list, line 1"));
  EXPECT_THAT(list_fault("image_id,foo\na,1\n"),
              AllOf(HasSubstr("image_id, foo"), HasSubstr("no column for the label")));
  EXPECT_THAT(list_fault("foo,label\na,1\n"), HasSubstr("no column for the path"));
  EXPECT_THAT(list_fault("id,name\na,1\n"), HasSubstr("no column for the path"));
  EXPECT_THAT(list_fault("path,id,name\na,1,Ann\n"),
              HasSubstr("several columns (\"id\", \"name\") for the label"));
  EXPECT_THAT(list_fault("path,label,label\na,1,1\n"), HasSubstr("several columns"));
}

TEST(ImageList, IsMxnetsOrInsightFaces) {
  EXPECT_THAT(listed("7\t10.000000\tann/a.jpg\n8\t2.000000\tb b.jpg\n"),
              ElementsAre("ann/a.jpg -> 10.000000", "b b.jpg -> 2.000000"));
  EXPECT_THAT(listed("1\tann/a.jpg\t10\n1\tb.png\t2\n"), ElementsAre("ann/a.jpg -> 10", "b.png -> 2"));
  const std::string points = "\t1\t2\t3\t4\t1\t2\t3\t4\t5\t1\t2\t3\t4\t5\n";
  EXPECT_THAT(listed("1\ta.jpg\t10" + points), ElementsAre("a.jpg -> 10"));
  EXPECT_THAT(list_fault("0\ta.jpg\t10" + points), AllOf(HasSubstr("not aligned"), HasSubstr("--landmarks")));
  EXPECT_THAT(list_fault("7\t10.0\t3.0\ta.jpg\n"), AllOf(HasSubstr("2 labels"), HasSubstr("cut -f 1,2,4")));
  EXPECT_THAT(list_fault("1\t5\t7\n"), HasSubstr("3 field(s)"));  // either could be the path
  EXPECT_THAT(list_fault("1,a.jpg,5\n"), HasSubstr("3 field(s)"));
}

TEST(ImageList, RefusesLinesThatAreNotClear) {
  EXPECT_THAT(list_fault("a.jpg 1\nb.jpg\n"), AllOf(HasSubstr("line 2"), HasSubstr("b.jpg")));
  EXPECT_THAT(list_fault("a.jpg,1\n,2\n"), AllOf(HasSubstr("line 2"), HasSubstr("no path")));
  EXPECT_THAT(list_fault("a.jpg,1\nb.jpg,\n"), HasSubstr("no label"));
  EXPECT_THAT(list_fault("path,label\na.jpg,Zoe, the second\n"),
              AllOf(HasSubstr("line 2"), HasSubstr("3 field(s)")));
  EXPECT_THAT(list_fault("3,a.jpg\n"), HasSubstr("label,path"));
  EXPECT_THAT(list_fault("a.jpg 3\n4 b.jpg\n"), AllOf(HasSubstr("line 2"), HasSubstr("behind the label")));
  EXPECT_THAT(list_fault("a.jpg Ann Lee\n"), HasSubstr("a part of the label"));
  EXPECT_THAT(list_fault("a.jpg Lee, Ann\n"), HasSubstr("a part of the label"));
  EXPECT_THAT(list_fault("a,b.jpg;Ann\n"), AllOf(HasSubstr("commas"), HasSubstr("semicolons")));
  EXPECT_THAT(list_fault("path|label\n"), HasSubstr("1 field(s)"));
}

}  // namespace
}  // namespace facemae
