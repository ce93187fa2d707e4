#include <gmock/gmock.h>
#include <torch/torch.h>

#include <cstdlib>
#include <set>

#include "core/error.h"
#include "data/image/image.h"
#include "evaluation/onnx/onnx_embedder.h"
#include "evaluation/onnx/onnx_net.h"
#include "tests/temporary_folder.h"
#include "tests/why.h"

namespace facemae {
namespace {

using testing::HasSubstr;

TEST(OnnxChoice, SaysWhatTheNetworkTakes) {
  EXPECT_TRUE(is_onnx("a/b.onnx"));
  EXPECT_TRUE(is_onnx("a/b.onnx:size=112"));
  EXPECT_FALSE(is_onnx("a/b.onnx.safetensors"));
  const OnnxChoice choice = onnx_choice("a:b/c.onnx:size=96,order=bgr,mean=1/2/3,scale=128,flip=yes");
  EXPECT_EQ(choice.file, Path("a:b/c.onnx"));
  EXPECT_EQ(choice.input.size, 96);
  EXPECT_TRUE(choice.input.bgr);
  EXPECT_TRUE(choice.input.flip);
  EXPECT_EQ(choice.input.mean, (std::array<double, 3>{1, 2, 3}));
  EXPECT_EQ(choice.input.scale, (std::array<double, 3>{128, 128, 128}));
  EXPECT_FALSE(onnx_choice("c.onnx:size=96,order=rgb,mean=0,scale=1").input.flip);
}

TEST(OnnxChoice, GuessesNothing) {
  const auto refusal = [](const std::string& word) {
    return test::why<ConfigError>([&] { onnx_choice(word); });
  };
  EXPECT_THAT(refusal("c.onnx"), HasSubstr("does not say"));
  EXPECT_THAT(refusal("c.onnx:order=rgb,mean=0,scale=1"), HasSubstr("size is missing"));
  EXPECT_THAT(refusal("c.onnx:size=112,mean=0,scale=1"), HasSubstr("order is missing"));
  EXPECT_THAT(refusal("c.onnx:size=112,order=gbr,mean=0,scale=1"), HasSubstr("neither rgb nor bgr"));
  EXPECT_THAT(refusal("c.onnx:size=112,order=rgb,means=0,scale=1"), HasSubstr("did you mean mean?"));
  EXPECT_THAT(refusal("c.onnx:size=112,order=rgb,mean=0/1,scale=1"),
              HasSubstr("neither one number nor three"));
  EXPECT_THAT(refusal("c.onnx:size=112,order=rgb,mean=0,scale=0"), HasSubstr("not above 0"));
  EXPECT_THAT(refusal("c.onnx:size=1e9,order=rgb,mean=0,scale=1"), HasSubstr("from 8 to 1024"));
  EXPECT_THAT(refusal("c.onnx:size=112,size=96,order=rgb,mean=0,scale=1"), HasSubstr("twice"));
  EXPECT_THAT(refusal("c.onnx:bgr"), HasSubstr("KEY=VALUE"));
}

TEST(OnnxInput, HasTheNetworksSizeOrderAndScale) {
  auto images = torch::zeros({1, 3, 4, 4});
  images[0][0].fill_(1);   // red 255
  images[0][2].fill_(-1);  // blue 0
  const auto rgb = onnx_input(images, {.size = 4, .bgr = false, .mean = {5, 0, 0}, .scale = {2, 1, 1}});
  EXPECT_EQ(rgb[0][0][1][2].item<float>(), 125);
  EXPECT_EQ(rgb[0][1][1][2].item<float>(), 127.5);
  EXPECT_EQ(rgb[0][2][1][2].item<float>(), 0);
  const auto bgr = onnx_input(images, {.size = 8, .bgr = true, .mean = {}, .scale = {1, 1, 5}});
  EXPECT_EQ(bgr.sizes(), (std::vector<std::int64_t>{1, 3, 8, 8}));
  EXPECT_NEAR(bgr[0][0][0][0].item<float>(), 0, 1e-4);
  EXPECT_NEAR(bgr[0][2][7][3].item<float>(), 51, 1e-4);
}

TEST(OnnxNet, SaysWhatToDoWithoutOpenCv) {
  if (runs_onnx()) GTEST_SKIP() << "this build has OpenCV's dnn";
  EXPECT_THAT(test::why<ConfigError>([] { onnx_embedder("c.onnx:size=112,order=rgb,mean=0,scale=1"); }),
              HasSubstr("scripts/setup.sh --onnx"));
}

TEST(OnnxNet, RefusesWhatIsNoNetwork) {
  if (!runs_onnx()) GTEST_SKIP() << "this build has no OpenCV: scripts/setup.sh --onnx installs it";
  const test::TemporaryFolder here;
  const std::string form = ":size=112,order=rgb,mean=0,scale=1";
  EXPECT_THAT(test::why<ConfigError>([&] { onnx_embedder((here / "none.onnx").string() + form); }),
              HasSubstr("no such file"));
  write_durably(real_files(), here / "broken.onnx", "no network");
  EXPECT_THAT(test::why<ConfigError>([&] { onnx_embedder((here / "broken.onnx").string() + form); }),
              HasSubstr("does not understand it"));
}

/// Faces of one person are alike, in the embeddings of a network that others trained.
TEST(OnnxNet, KnowsPeopleApart) {
  if (!runs_onnx()) GTEST_SKIP() << "this build has no OpenCV: scripts/setup.sh --onnx installs it";
  const char* data = std::getenv("FACEMAE_SHARED_DATA");
  const Path shared = data == nullptr ? "" : data, people = shared / "celeba112/dev";
  const Path network = shared / "embedders/mobilefacenet_512.onnx";
  if (!std::filesystem::exists(network)) GTEST_SKIP() << "there is no " << network;
  std::vector<torch::Tensor> faces;
  Decoder decoder;
  std::set<Path> folders;
  for (const auto& person : std::filesystem::directory_iterator(people))
    if (person.is_directory()) folders.insert(person.path());
  for (const Path& person : folders) {
    if (faces.size() == 12) break;
    std::set<Path> files;
    for (const auto& file : std::filesystem::directory_iterator(person)) files.insert(file.path());
    for (const Path& file : {*files.begin(), *files.rbegin()}) {
      const std::string bytes = read_file(file);
      Image image = decoder.decode(bytes_of(bytes));
      faces.push_back(
          torch::from_blob(image.pixels.data(), {112, 112, 3}, torch::kUInt8).permute({2, 0, 1}).clone());
    }
  }
  const auto images = (torch::stack(faces).to(torch::kFloat32) - 127.5) / 127.5;
  const auto similar = [&](const std::string& input) {
    const auto rows = onnx_embedder(network.string() + ":" + input).embed(images);
    EXPECT_EQ(rows.size(1), 512);
    const auto unit = rows / rows.norm(2, 1, true);
    return torch::mm(unit, unit.t());
  };
  const auto right = similar("size=112,order=bgr,mean=127,scale=128"),
             wrong = similar("size=112,order=rgb,mean=0,scale=1");
  double same = 0, other = 0, same_wrong = 0, other_wrong = 0;
  for (int i = 0; i < 6; ++i) {
    same += right[2 * i][2 * i + 1].item<double>() / 6;
    other += right[2 * i][(2 * i + 3) % 12].item<double>() / 6;
    same_wrong += wrong[2 * i][2 * i + 1].item<double>() / 6;
    other_wrong += wrong[2 * i][(2 * i + 3) % 12].item<double>() / 6;
  }
  EXPECT_GT(same, 0.4);
  EXPECT_LT(other, 0.25);
  EXPECT_GT(same - other, same_wrong - other_wrong);
}

}  // namespace
}  // namespace facemae
