#include "checkpoint/pytorch/torch_writer.h"

#include "checkpoint/pytorch/stored_zip.h"
#include "checkpoint/pytorch/torch_values.h"
#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr std::string_view kFolder = "archive/";  // as torch.save names it for streams

/// Pickle, protocol 2: what the unpickler of weights_only=True knows.
class PickleText {
 public:
  void add(std::string_view opcodes) { text_ += opcodes; }
  void little_endian(std::uint64_t value, int width) {
    for (int i = 0; i < width; ++i) text_ += static_cast<char>(value >> (8 * i));
  }
  void text(std::string_view utf8) {
    text_ += 'X';
    little_endian(utf8.size(), 4);
    text_ += utf8;
  }
  void number(std::uint64_t value) {
    if (value <= 0xFF) {
      text_ += 'K';
      return little_endian(value, 1);
    }
    if (value <= 0x7FFFFFFF) {
      text_ += 'J';
      return little_endian(value, 4);
    }
    text_ += "\x8a\x08";
    little_endian(value, 8);
  }
  void numbers(const std::vector<std::int64_t>& values) {
    text_ += '(';
    for (const auto value : values) number(static_cast<std::uint64_t>(value));
    text_ += 't';
  }
  std::string& bytes() { return text_; }

 private:
  std::string text_;
};

std::vector<std::int64_t> strides_of(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * std::max<std::int64_t>(1, shape[i]);
  return strides;
}

std::uint64_t values_of(const PlainTensor& tensor) {
  std::uint64_t values = 1;
  for (const auto side : tensor.shape) values *= static_cast<std::uint64_t>(side);
  return values;
}

std::string pickle_of(const std::vector<PlainTensor>& tensors) {
  constexpr std::string_view kEmptyDict = "ccollections\nOrderedDict\n)R";
  PickleText pickle;
  pickle.add("\x80\x02");
  pickle.add(kEmptyDict);
  pickle.add("(");
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const TorchType* type = torch_type_named(tensors[i].type);
    if (type == nullptr)
      throw ConfigError(
          fmt::format("writing tensor {}: torch.save does not know its type {}; convert it first",
                      tensors[i].name, tensors[i].type));
    pickle.text(tensors[i].name);
    pickle.add("ctorch._utils\n_rebuild_tensor_v2\n((");
    pickle.text("storage");
    pickle.add(fmt::format("ctorch\n{}\n", type->storage));
    pickle.text(std::to_string(i));
    pickle.text("cpu");
    pickle.number(values_of(tensors[i]));
    pickle.add("tQ");
    pickle.number(0);
    pickle.numbers(tensors[i].shape);
    pickle.numbers(strides_of(tensors[i].shape));
    pickle.add("\x89");
    pickle.add(kEmptyDict);
    pickle.add("tR");
  }
  pickle.add("u.");
  return std::move(pickle.bytes());
}

}  // namespace

void write_torch_archive(OutputFile& out, const std::vector<PlainTensor>& tensors,
                         const std::function<Bytes(std::size_t tensor)>& bytes) {
  StoredZip zip(out);
  const auto member = [&](std::string_view name) { return std::string(kFolder) + std::string(name); };
  zip.add(member("data.pkl"), bytes_of(pickle_of(tensors)));
  zip.add(member("byteorder"), bytes_of(std::string("little")));
  for (std::size_t i = 0; i < tensors.size(); ++i) zip.add(member(fmt::format("data/{}", i)), bytes(i));
  zip.add(member("version"), bytes_of(std::string("3\n")));
  zip.finish();
}

}  // namespace facemae
