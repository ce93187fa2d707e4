// What PyTorch saved is read bit for bit, and ours is what it has read bit for bit (tests/golden/torch_files.py).
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <map>

#include "checkpoint/tensors/pytorch.h"
#include "checkpoint/tensors/weights.h"
#include "tests/golden/numbers.h"
#include "tests/temporary_folder.h"

namespace facemae {
namespace {

std::map<std::string, torch::Tensor> by_name(const NamedTensors& tensors) {
  return {tensors.begin(), tensors.end()};
}

void expect_same_bits(const NamedTensors& read, const NamedTensors& expected) {
  const auto all = by_name(read);
  ASSERT_EQ(all.size(), expected.size());
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(all.contains(name)) << name;
    const auto& found = all.at(name);
    ASSERT_EQ(found.scalar_type(), value.scalar_type()) << name;
    ASSERT_EQ(found.sizes(), value.sizes()) << name;
    EXPECT_TRUE(
        torch::equal(found.contiguous().view({-1}).view(torch::kUInt8), value.view({-1}).view(torch::kUInt8)))
        << name;
  }
}

TEST(TorchFiles, OfPyTorchAreReadBitForBit) {
  const auto weights = read_weights(golden_file("torch_made.pt"));
  expect_same_bits(weights.tensors, read_safetensors(golden_file("torch_made.safetensors")));
  const auto all = by_name(weights.tensors);
  EXPECT_EQ(all.at("rows").const_data_ptr(), all.at("base")[2].const_data_ptr())
      << "one memory for a shared storage";
  EXPECT_EQ(all.at("expanded").stride(0), 0);
}

TEST(TorchFiles, HaveTheOtherValuesOfATraining) {
  TorchFile file(golden_file("torch_made.pt"));
  const auto& root = file.pickle().root();
  EXPECT_EQ(entry_of(file.pickle(), root, "global_step")->number, 1200);
  EXPECT_EQ(told(*entry_of(file.pickle(), root, "thing")), "an object of __main__.Thing");
  EXPECT_TRUE(file.tensor(*entry_of(file.pickle(), root, "random"), "random").scalar_type() == torch::kUInt8);
  EXPECT_THROW(file.tensor(*entry_of(file.pickle(), root, "device"), "device"), DataError);
}

TEST(TorchFiles, OfOursAreThoseThatPyTorchReadBitForBit) {
  const test::TemporaryFolder folder;
  const auto tensors = TorchFile(golden_file("torch_made.pt")).state_dict();
  NamedTensors bare;
  for (const auto& [name, value] : tensors)
    bare.emplace_back(name.substr(std::string("module.").size()), value);
  write_pytorch(real_files(), folder / "ours.pt", bare);
  EXPECT_EQ(read_file(folder / "ours.pt"), read_file(golden_file("torch_ours.pt")));
  expect_same_bits(read_weights(folder / "ours.pt").tensors,
                   read_safetensors(golden_file("torch_made.safetensors")));
}

}  // namespace
}  // namespace facemae
