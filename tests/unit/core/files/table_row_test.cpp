#include "core/files/table_row.h"

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

/// The fields of the row that a text begins with.
std::vector<std::string> row_fields(std::string_view text, char separator) {
  TextLines lines(text, "table");
  std::string_view line;
  lines.next(line);
  std::vector<std::string> fields = {"left", "over", "from", "the", "row", "before"};
  split_row(lines, line, separator, fields);
  return fields;
}

TEST(TableRow, IsPartedByWhatItsFirstRowHas) {
  EXPECT_EQ(separator_of("path,label"), ',');
  EXPECT_EQ(separator_of("path;label"), ';');
  EXPECT_EQ(separator_of("a,b;c\td"), '\t');
  EXPECT_EQ(separator_of("path label"), ' ');
  EXPECT_EQ(separator_of("\"a, b\";\"c\""), ';');
  EXPECT_EQ(separator_of("a,b;c"), '?');
  EXPECT_EQ(separator_of(""), ' ');
}

TEST(TableRow, HasQuotesByRfc4180) {
  EXPECT_THAT(row_fields("a, b ,c", ','), ElementsAre("a", "b", "c"));
  EXPECT_THAT(row_fields("\"a, b.jpg\";\"Ann \"\"A\"\" Lee\"", ';'),
              ElementsAre("a, b.jpg", "Ann \"A\" Lee"));
  EXPECT_THAT(row_fields("\" kept \" , \"\",", ','), ElementsAre(" kept ", "", ""));
  EXPECT_THAT(row_fields("\"two\r\nlines\",x\nnext", ','), ElementsAre("two\nlines", "x"));
  EXPECT_THAT(row_fields("5\" disk,x", ','), ElementsAre("5\" disk", "x"));
  EXPECT_THAT(row_fields("", ','), ElementsAre(""));
  EXPECT_THAT(row_fields(",", ','), ElementsAre("", ""));
}

TEST(TableRow, KeepsEmptyFieldsBetweenTabsAndNoneBetweenBlanks) {
  EXPECT_THAT(row_fields("\ta b\t\tc\t", '\t'), ElementsAre("", "a b", "", "c", ""));
  EXPECT_THAT(row_fields("  a \t b  \"c d\"  ", ' '), ElementsAre("a", "b", "c d"));
}

TEST(TableRow, NamesTheLineOfAWrongQuote) {
  EXPECT_THAT(why<DataError>([] { row_fields("\"a,b\nc,d\n", ','); }),
              AllOf(HasSubstr("table, line 1"), HasSubstr("never closed")));
  EXPECT_THAT(why<DataError>([] { row_fields("\"a\"b,c", ','); }), HasSubstr("doubled"));
}

}  // namespace
}  // namespace facemae
