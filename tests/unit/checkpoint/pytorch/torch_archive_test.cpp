// What is refused of files of torch.save, by the name of the opcode, the global or the member that is at fault.
#include "checkpoint/pytorch/torch_archive.h"

#include <gmock/gmock.h>

#include "checkpoint/pytorch/state_dict.h"
#include "core/error.h"
#include "tests/torch_files.h"
#include "tests/why.h"

namespace facemae {
namespace {

using namespace std::string_literals;
using test::HandMade;
using test::Members;
using testing::HasSubstr;

/// What reading everything in it says, "" when all is well.
std::string refusal(const std::string& file) {
  return test::why<DataError>([&] {
    TorchArchive archive(file, "w.pt");
    for (const auto& [name, value] : state_dict_in(archive.content(), archive.name())) {
      const auto& tensor = archive.content().tensors[static_cast<std::size_t>(value->number)];
      const auto& storage = archive.content().storages[tensor.storage];
      std::vector<std::byte> bytes(archive.bytes_of(storage));
      archive.read(storage, bytes);
    }
  });
}

std::string dict_with(const std::string& value) {
  return test::torch_dict({{"a", test::torch_tensor()}, {"b", value}});
}

TEST(TorchArchive, GivesTheTensorsOfAStateDict) {
  const std::string file = test::torch_file(test::torch_dict({{"a", test::torch_tensor()}}));
  EXPECT_EQ(refusal(file), "");
  TorchArchive archive(file, "w.pt");
  const auto entries = state_dict_in(archive.content(), "w.pt");
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].name, "a");
  const auto& tensor = archive.content().tensors.at(0);
  EXPECT_EQ(tensor.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(archive.content().storages.at(0).type, "F32");
}

TEST(TorchArchive, RefusesByOpcode) {
  EXPECT_THAT(refusal(test::torch_file("\x82\x01"s)), HasSubstr("EXT1"));
  EXPECT_THAT(refusal(test::torch_file(dict_with("\x97"s))), HasSubstr("NEXT_BUFFER"));
  EXPECT_THAT(refusal(test::torch_file(dict_with("P1\n"s))), HasSubstr("PERSID"));
  EXPECT_THAT(refusal(test::torch_file("\xff"s)), HasSubstr("opcode 0xff"));
}

TEST(TorchArchive, RefusesGlobalsOnlyWhereATensorIsWanted) {
  const std::string command = "cposix\nsystem\n" + test::torch_text("echo harm") + "\x85R";
  const std::string said = refusal(test::torch_file(dict_with(command)));
  EXPECT_THAT(said, HasSubstr("\"b\" is an object of posix.system where a tensor should be"));
  EXPECT_THAT(said, HasSubstr("nothing of it was executed"));
  EXPECT_THAT(refusal(test::torch_file(dict_with("cbuiltins\neval\n"))),
              HasSubstr("a callable of builtins.eval"));
  EXPECT_THAT(refusal(test::torch_file(dict_with(test::torch_tensor({.storage = "ComplexFloatStorage"})))),
              HasSubstr("an object of torch.ComplexFloatStorage"));
  // Lightning's whole training: the same objects beside the state dict harm nobody.
  const std::string whole = test::torch_dict(
      {{"hyper_parameters",
        "cargparse\nNamespace\n)\x81" + test::torch_dict({{"lr", "G?\xb9\x99\x99\x99\x99\x99\x9a"s}}) + "b"},
       {"callbacks", command},
       {"state_dict",
        test::torch_dict({{"model.a", test::torch_tensor()}, {"model.count", test::torch_number(3)}})}});
  EXPECT_EQ(refusal(test::torch_file(whole)), "");
}

TEST(TorchArchive, RefusesByMember) {
  const std::string tensor = test::torch_dict({{"a", test::torch_tensor()}});
  EXPECT_THAT(refusal(test::torch_file(test::torch_dict({{"a", test::torch_tensor({.key = "7"})}}))),
              HasSubstr("member w/data/7, in which a tensor lies, is missing"));
  EXPECT_THAT(refusal(test::torch_file(test::torch_dict({{"a", test::torch_tensor({.values = 7})}}))),
              HasSubstr("member w/data/0 has 24 bytes, but 7 values"));
  EXPECT_THAT(refusal(test::torch_file(test::torch_dict({{"a", test::torch_tensor({.first = 1})}}))),
              HasSubstr("member data/0, has (6)"));
  EXPECT_THAT(refusal(test::torch_file(tensor, {{"w/constants.pkl", "x"}})), HasSubstr("TorchScript"));
  EXPECT_THAT(refusal(test::zip_of({{"w/data.pkl", test::torch_pickle(tensor)}, {"w/byteorder", "big"}})),
              HasSubstr("member w/byteorder says \"big\""));
  EXPECT_THAT(refusal(test::zip_of({{"w/data.pkl", test::torch_pickle(tensor)}, {"v/data.pkl", "."}})),
              HasSubstr("several members data.pkl"));
  EXPECT_THAT(refusal(test::zip_of({{"w/readme", "x"}})), HasSubstr("no member NAME/data.pkl"));
  EXPECT_THAT(refusal(test::torch_file(tensor, {{"w/data/0", "twice"}})), HasSubstr("two members w/data/0"));
}

TEST(TorchArchive, RefusesDamagedCompressedAndTruncatedMembers) {
  const std::string whole = test::torch_file(test::torch_dict({{"a", test::torch_tensor()}}));
  EXPECT_THAT(refusal(whole.substr(0, whole.size() / 2)), HasSubstr("directory at the end"));
  EXPECT_THAT(refusal(""), HasSubstr("directory at the end"));
  const auto at = whole.find("w/data/0", whole.find("w/data/0") + 1);  // in the directory
  const auto entry = at - 46;
  ASSERT_EQ(whole.substr(entry, 4), "PK\1\2");
  std::string damaged = whole, compressed = whole, large = whole;
  damaged[whole.find(std::string("\0\0\x80\x3f", 4))] ^= 1;
  EXPECT_THAT(refusal(damaged), HasSubstr("member w/data/0 is damaged (CRC error)"));
  compressed[entry + 10] = 8;
  EXPECT_THAT(refusal(compressed), HasSubstr("member w/data/0 is compressed"));
  large[entry + 20 + 3] = large[entry + 24 + 3] = 0x40;  // 1 GiB
  EXPECT_THAT(refusal(large), HasSubstr("member w/data/0 says that it has 1073741848 bytes"));
}

TEST(TorchArchive, RefusesSizesThatOverflowOrAreNoNumbers) {
  const std::string huge = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"s,
                    storage = "(" + test::torch_text("storage") + "ctorch\nFloatStorage\n" +
                              test::torch_text("0") + test::torch_text("cpu") + "K\x06tQ";
  const auto tensor = [&](const std::string& shape, const std::string& strides) {
    return test::torch_dict({{"a", "ctorch._utils\n_rebuild_tensor\n(" + storage + "K" +
                                       std::string(1, '\0') + shape + strides + "tR"}});
  };
  EXPECT_EQ(refusal(test::torch_file(tensor("(K\x06t", "(K\x01t"))), "");
  EXPECT_THAT(refusal(test::torch_file(tensor("(" + huge + huge + "t", "(K\x01K\x01t"))),
              HasSubstr("more values than"));
  EXPECT_THAT(refusal(test::torch_file(tensor("(K\x02K\x02t", "(" + huge + huge + "t"))),
              HasSubstr("more values than"));
  EXPECT_THAT(refusal(test::torch_file(tensor("(" + huge + "t", "(K" + std::string(1, '\0') + "t"))),
              HasSubstr("more values than"));
  EXPECT_THAT(refusal(test::torch_file(tensor("(K\x02K\x02t", "(K\x01t"))), HasSubstr("as many strides"));
  EXPECT_THAT(refusal(test::torch_file(tensor("(Nt", "(K\x01t"))), HasSubstr("shape has something else"));
}

TEST(TorchArchive, RefusesTensorsThatAreAChangeOfTheirStorage) {
  std::string negative = test::torch_tensor();
  negative.replace(negative.size() - 2, 2, test::torch_dict({{"neg", "\x88"}}) + "tR");
  EXPECT_THAT(refusal(test::torch_file(dict_with(negative))), HasSubstr("conj or neg"));
}

TEST(TorchArchive, SaysWhatIsThereWhenItIsNoStateDict) {
  EXPECT_THAT(refusal(test::torch_file(test::torch_tensor())),
              HasSubstr("no dict of tensors by name, as state_dict() makes it, but a tensor"));
  EXPECT_THAT(refusal(test::torch_file(
                  test::torch_dict({{"epoch", test::torch_number(3)}, {"model", "cnet\nResNet\n)\x81"}}))),
              HasSubstr("epoch: a number, model: an object of net.ResNet"));
  EXPECT_THAT(refusal(test::torch_file("}q\x01(" + test::torch_text("model") + "h\x01u"s)),
              HasSubstr("model: a dict"));
}

}  // namespace
}  // namespace facemae
