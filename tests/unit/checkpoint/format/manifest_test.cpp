#include "checkpoint/format/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checkpoint/format/layout.h"
#include "core/error.h"

namespace facemae {
namespace {

Manifest sample() {
  Manifest manifest{
      .id = {1200, 3}, .samples = 76800, .world = 2, .threads = 4, .cpu = "AVX2", .virtual_shards = 4};
  manifest.files = {{"r00000.safetensors", 4096 + 24 + 8, 4096, {1, 2}},
                    {"r00001.safetensors", 4096 + 24, 4096, {3, 4}}};
  manifest.tensors = {{"centres",
                       "F32",
                       {4, 3},
                       true,
                       {{0, 4096, {0, 24}, {{5, 6}, {7, 8}}}, {1, 4096, {24, 24}, {{9, 1}, {2, 2}}}}},
                      {"model.empty", "F32", {0}, false, {}},
                      {"model.w", "F32", {2}, false, {{0, 4120, {0, 8}, {{3, 3}}}}}};
  manifest.run_state = "{}";
  manifest.config = "a = 1\n\xff";
  manifest.dataset_digest = "d";
  manifest.model_hash = "m";
  manifest.software = {{"libtorch", "2"}};
  manifest.parent = CheckpointId{1000, 2};
  manifest.root = root_hash(manifest.tensors, manifest.virtual_shards);
  return manifest;
}

std::string fault_of(const Manifest& manifest) {
  try {
    parse_manifest(serialise(manifest));
  } catch (const CheckpointError& error) {
    return error.what();
  }
  return "";
}
std::string refusal(Manifest manifest) {
  manifest.root = root_hash(manifest.tensors, manifest.virtual_shards);
  return fault_of(manifest);
}

TEST(Manifest, IsReadBackAsItWasWritten) {
  const Manifest manifest = sample();
  EXPECT_EQ(parse_manifest(serialise(manifest)), manifest);
  EXPECT_EQ(serialise(manifest), serialise(sample())) << "equal manifests have equal bytes";
  EXPECT_EQ(manifest.find("model.w")->shape, std::vector<std::int64_t>{2});
  EXPECT_EQ(manifest.find("model.x"), nullptr);
}

TEST(Manifest, RefusesPiecesThatDoNotAddUp) {
  EXPECT_EQ(refusal(sample()), "");
  auto manifest = sample();
  manifest.tensors[0].pieces.pop_back();
  EXPECT_THAT(refusal(manifest), testing::HasSubstr("not complete"));
  manifest = sample();
  manifest.tensors[0].pieces[1].range = {28, 20};
  EXPECT_THAT(refusal(manifest), testing::HasSubstr("gap"));
  manifest = sample();
  manifest.tensors[2].pieces[0].file = 9;
  EXPECT_THAT(refusal(manifest), testing::HasSubstr("not listed"));
  manifest = sample();
  manifest.tensors[2].pieces[0].offset = 4124;
  EXPECT_THAT(refusal(manifest), testing::HasSubstr("outside r00000"));
  manifest = sample();
  manifest.tensors[2].pieces[0].offset = 4100;
  EXPECT_THAT(refusal(manifest), testing::HasSubstr("overlap"));
  manifest = sample();
  manifest.files[1].bytes += 8;
  EXPECT_THAT(refusal(manifest), testing::HasSubstr("do not fill"));
  manifest = sample();
  manifest.files[1].name = "../r00001.safetensors";
  EXPECT_THAT(refusal(manifest), testing::HasSubstr("outside its folder"));
  manifest = sample();
  std::swap(manifest.tensors[0], manifest.tensors[2]);
  EXPECT_THAT(refusal(manifest), testing::HasSubstr("not sorted"));
}

TEST(Manifest, RefusesARootThatIsNotThatOfItsLeaves) {
  auto manifest = sample();
  manifest.tensors[2].pieces[0].leaves[0].low ^= 1;
  EXPECT_THROW(parse_manifest(serialise(manifest)), CheckpointError);
}

TEST(Manifest, RefusesAShapeWithoutHashesBeforeItLaysOutLeaves) {
  auto manifest = sample();
  manifest.root = {};  // the root is over the shape as well, and is checked last
  manifest.tensors[2].shape = {1LL << 59};
  EXPECT_THAT(fault_of(manifest), testing::HasSubstr("not complete"));  // 2^38 leaves would take 4 TiB
  manifest = sample();
  manifest.root = {};
  manifest.virtual_shards = 1 << 24;
  manifest.tensors[0].shape = {1 << 24, 1};
  manifest.tensors[0].dtype = "U8";
  EXPECT_THAT(fault_of(manifest), testing::HasSubstr("not complete"));
}

TEST(Manifest, RefusesBytesThatAreNoManifest) {
  EXPECT_THROW(parse_manifest(""), CheckpointError);
  EXPECT_THROW(parse_manifest("not a manifest"), CheckpointError);
  EXPECT_THROW(parse_report("not a report"), CheckpointError);
}

TEST(Manifest, CarriesReportsOfRanks) {
  RankReport report{.file = {"r00001.safetensors", 4100, 4096, {1, 2}},
                    .tensors = {{"t", "", {}, false, {{0, 4096, {8, 4}, {{1, 1}}}}}}};
  const RankReport read = parse_report(serialise(report));
  EXPECT_EQ(read.file, report.file);
  EXPECT_EQ(read.tensors, report.tensors);
}

}  // namespace
}  // namespace facemae
