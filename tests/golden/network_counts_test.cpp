#include "tests/golden/network_counts.h"

#include <gmock/gmock.h>

namespace facemae {
namespace {

constexpr NetworkCounts kCounts[] = {
    {"mobilefacenet", 2'059'520, 333}, {"mobilefacenet-large", 6'314'880, 606},
    {"iresnet-tiny", 381'936, 116},    {"iresnet18", 24'025'600, 187},
    {"iresnet34", 34'139'328, 331},    {"iresnet50", 43'590'848, 475},
    {"iresnet100", 65'156'160, 925},   {"iresnet200", 118'833'920, 1807},
    {"ir18", 24'020'352, 179},         {"ir34", 34'134'080, 323},
    {"ir50", 43'585'600, 467},         {"ir101", 65'150'912, 917},
    {"vit-t", 19'137'792, 150},        {"vit-s", 76'023'296, 150},
    {"vit-b", 113'833'472, 282},       {"vit-l", 255'684'352, 282},
};

TEST(NetworkCounts, AreThoseOfThePublicImplementations) {
  std::vector<std::string> counted = {"vit-h"};  // in a test of its own
  for (const auto& counts : kCounts) {
    expect_counts(counts);
    counted.emplace_back(counts.network);
  }
  EXPECT_THAT(counted, testing::UnorderedElementsAreArray(network_names()));
}

TEST(IrNetworks, HaveTheKeysOfTheirPublicImplementations) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : state_of(*make_network("ir18")))
    if (!key.ends_with("num_batches_tracked") && !key.ends_with("running_var")) keys.push_back(key);
  const auto has = [&](const std::string& key) { return testing::Contains(key); };
  for (const char* key :
       {"input_layer.0.weight", "input_layer.1.running_mean", "input_layer.2.weight",
        "body.0.res_layer.0.weight", "body.0.res_layer.1.weight", "body.0.res_layer.2.bias",
        "body.0.res_layer.3.weight", "body.0.res_layer.4.weight", "body.7.res_layer.5.running_mean",
        "body.2.shortcut_layer.0.weight", "body.6.shortcut_layer.1.weight", "output_layer.0.weight",
        "output_layer.3.weight", "output_layer.3.bias", "output_layer.4.running_mean"})
    EXPECT_THAT(keys, has(key));
  for (const char* key : {"body.0.shortcut_layer.0.weight", "body.3.shortcut_layer.0.weight",
                          "output_layer.4.weight", "output_layer.4.bias", "body.8.res_layer.0.weight"})
    EXPECT_THAT(keys, testing::Not(has(key)));
}

}  // namespace
}  // namespace facemae
