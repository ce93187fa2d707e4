#include "checkpoint/format/foreign_weights.h"

#include <gmock/gmock.h>
#include <unistd.h>

namespace facemae {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using testing::StartsWith;

std::string zip_of(const std::string& member) {
  return "PK\3\4"s + std::string(22, '\0') + static_cast<char>(member.size()) + "\0\0\0"s + member +
         "content";
}

struct Sample {
  std::string name, head, told;
};

TEST(ForeignWeights, AreToldByTheirContentWithWhatConvertsThem) {
  const Sample samples[] = {
      {"old.pt", "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.more"s, "before 1.6"},
      {"w.npz", zip_of("conv1.weight.npy"), "NumPy (.npz)"},
      {"glint360k.onnx", "\x08\x06\x12\x07pytorch"s, "ONNX"},
      {"model-0000.params", "\x12\x01\0\0\0\0\0\0"s, "MXNet"},
      {"pytorch_model.bin", "\x80\x04\x95"s, "pickle"},
      {"model.safetensors.index.json", "{\"metadata\": {}, \"weight_map\": {}}", "parts"},
  };
  for (const auto& [name, head, told] : samples) {
    const std::string said = foreign_weights(head, "dir/" + name);
    EXPECT_THAT(said, HasSubstr(told)) << name;
    EXPECT_THAT(said, HasSubstr("\nimport ")) << name;
    EXPECT_THAT(said, HasSubstr(".safetensors\")")) << name;
    EXPECT_EQ(said.find('{') == said.npos, said.find('}') == said.npos) << said;
  }
  EXPECT_THAT(
      foreign_weights("\x80\x02}."s, "dir/w.pth"),
      testing::AllOf(HasSubstr("torch.load(\"dir/w.pth\", map_location=\"cpu\", weights_only=True)"),
                     HasSubstr("safetensors.torch.save_file({k: v"), HasSubstr("\"w.safetensors\")")));
}

TEST(ForeignWeights, ThatNothingConvertsAreToldAsWhatTheyAre) {
  const Sample samples[] = {
      {"w.h5", "\x89HDF\r\n\x1a\n"s, "Keras"},
      {"w.keras", zip_of("metadata.json"), "Keras"},
      {"model.ckpt-100.index", "\0\0"s, "TensorFlow"},
      {"model.ckpt.data-00000-of-00001", "\1\2"s, "TensorFlow"},
      {"w.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS"},
      {"w.safetensors", "\n<!DOCTYPE HTML><html>Sign in", "web page"},
      {"w.safetensors", "<?xml version=\"1.0\"?><Error>", "web page"},
      {"w.safetensors.gz", "\x1f\x8b\x08"s, "compressed"},
      {"w.zip", zip_of("w/model.safetensors"), "archive"},
      {"w.tar", std::string(257, '\0') + "ustar\0"s + std::string(200, '\0'), "archive"},
      {"w.npy", "\x93NUMPY\1"s, "single array"},
      {"w.safetensors", "", "is empty"},
  };
  for (const auto& [name, head, told] : samples)
    EXPECT_THAT(foreign_weights(head, name), HasSubstr(told)) << name;
}

TEST(ForeignWeights, AreNotSafetensorsWhateverTheirLengthLooksLike) {
  for (const std::string& length :
       {"\x12\x01\0\0\0\0\0\0"s, "\x08\x01\x12\0\0\0\0\0"s, "PK\3\0\0\0\0\0"s, "\x1f\x8b\0\0\0\0\0\0"s})
    EXPECT_EQ(foreign_weights(length + "{\"a\":{\"dtype\":\"F32\"}}", "w.bin"), "");
  EXPECT_EQ(foreign_weights("something else altogether", "w.weights"), "");
}

TEST(ForeignWeights, OfAFolderThatHoldsThemIsTheFile) {
  const Path folder = Path(testing::TempDir()) / ("foreign_weights_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  EXPECT_EQ(foreign_weights(folder), "");
  write_whole(real_files(), folder / "model.safetensors", "x");
  write_whole(real_files(), folder / "w.npz", zip_of("w.npy"));
  EXPECT_THAT(foreign_weights(folder), HasSubstr("model.safetensors"));
  EXPECT_THAT(foreign_weights(folder / "w.npz"), StartsWith("is an archive of NumPy"));
  EXPECT_EQ(foreign_weights(folder / "nowhere"), "");
  std::filesystem::create_directories(folder / "of_pytorch");
  write_whole(real_files(), folder / "of_pytorch/backbone.pth", "x");
  EXPECT_THAT(foreign_weights(folder / "of_pytorch"), HasSubstr("name the file, such as"));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace facemae
