#include "trainer/insiders/attributes.h"

#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cmath>

#include "core/error.h"
#include "data/synth/synth.h"
#include "data/synth/synth_attributes.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class AttributeTable : public testing::Test {
 protected:
  Attributes read(const std::string& text) {
    write_durably(real_files(), folder_ / "table.csv", text);
    return attributes_of(*store_, folder_ / "table.csv");
  }
  test::TemporaryFolder folder_;
  std::shared_ptr<const Store> store_ = testing_stores::make_store(folder_ / "s", {2, 2, 2});
};

TEST_F(AttributeTable, IsReadByTheNamesOfPeople) {
  const Attributes read_back =
      read("person,beard,\"age, years\"\nplanted-name-2,yes,41.5\nnobody,no,1\nplanted-name-0,,7\n");
  EXPECT_EQ(read_back.names, (std::vector<std::string>{"beard", "age, years"}));
  EXPECT_EQ(read_back.values[0][2], 1);
  EXPECT_EQ(read_back.values[1][2], 41.5);
  EXPECT_TRUE(std::isnan(read_back.values[0][0])) << "an empty field is unknown";
  EXPECT_EQ(read_back.values[1][0], 7);
  EXPECT_TRUE(std::isnan(read_back.values[1][1])) << "who is not in the table is unknown";
}

TEST_F(AttributeTable, IsRefusedWithTheLineAndTheRemedy) {
  EXPECT_THAT(
      [&] { read("person,beard\nplanted-name-0,long\n"); },
      ThrowsMessage<DataError>(testing::AllOf(HasSubstr("line 2"), HasSubstr("columns of yes and no"))));
  EXPECT_THAT([&] { read("person,beard\nplanted-name-0,1,2\n"); },
              ThrowsMessage<DataError>(HasSubstr("3 fields")));
  EXPECT_THAT([&] { read("person,beard\nMax,1\n"); }, ThrowsMessage<ConfigError>(HasSubstr("names nobody")));
  EXPECT_THAT([&] { attributes_of(*store_, "synthetic"); },
              ThrowsMessage<ConfigError>(HasSubstr("was not made by `facemae synth`")));
}

TEST(SynthAttributes, AreThoseOfTheNameAndTheSeed) {
  EXPECT_EQ(synth_identity(synth_name(123)), 123U);
  EXPECT_EQ(synth_identity("syn-123"), std::nullopt);
  EXPECT_EQ(synth_identity("somebody"), std::nullopt);
  const auto one = synth_attributes(0, 5), other = synth_attributes(1, 5);
  EXPECT_EQ(one, synth_attributes(0, 5));
  EXPECT_NE(one, other);
  EXPECT_EQ(one.front().first, "skin_light");
}

TEST(AttributeFigures, ReadPlantedColoursOffClasses) {
  torch::set_num_threads(1);
  torch::manual_seed(2);
  constexpr std::int64_t kClasses = 60;
  ReleasedFaces released{.pictures = torch::randint(0, 60, {2 * kClasses, 3, 16, 16}, torch::kUInt8),
                         .class_count = kClasses};
  FaceLinks links;
  Attributes attributes{.names = {"left_light"}, .values = {{}}};
  for (std::int64_t i = 0; i < 2 * kClasses; ++i) released.classes.push_back(i / 2);
  for (std::int64_t c = 0; c < kClasses; ++c) {
    links.people_of_class.push_back({c});
    attributes.values[0].push_back(static_cast<double>(c % 2));
    if (c % 2 == 1) released.pictures.narrow(0, 2 * c, 2).narrow(3, 0, 8) += 80;
  }
  const auto found =
      attribute_figures(released, links, attributes, {{"noise", torch::randn({2 * kClasses, 8})}}, 0);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].attacker, "ridge probe on colours of 14x14");
  EXPECT_GT(found[0].found.low, 0.5);
  EXPECT_LE(found[1].found.low, 0);
}

}  // namespace
}  // namespace facemae
