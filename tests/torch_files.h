#pragma once
// Files of torch.save for tests, put together by hand: members of a zip, and pickles in protocol 2.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/pytorch/stored_zip.h"

namespace facemae::test {

/// An OutputFile in memory.
class MemoryFile final : public OutputFile {
 public:
  void write(Bytes bytes) override {
    content.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void sync() override {}
  void close() override {}
  std::string content;
};

using Members = std::vector<std::pair<std::string, std::string>>;

inline std::string zip_of(const Members& members) {
  MemoryFile file;
  StoredZip zip(file);
  for (const auto& [name, bytes] : members) zip.add(name, bytes_of(bytes));
  zip.finish();
  return file.content;
}

inline std::string torch_text(const std::string& text) {
  return "X" + std::string(1, static_cast<char>(text.size())) + std::string(3, '\0') + text;
}
/// Up to 255.
inline std::string torch_number(std::uint64_t number) {
  return "K" + std::string(1, static_cast<char>(number));
}
/// A tuple.
inline std::string torch_tuple(const std::vector<std::uint64_t>& numbers) {
  std::string tuple = "(";
  for (const auto number : numbers) tuple += torch_number(number);
  return tuple + "t";
}

struct HandMade {
  std::string storage = "FloatStorage", key = "0";
  std::uint64_t values = 6, first = 0;
  std::vector<std::uint64_t> shape = {2, 3}, strides = {3, 1};
};
/// The opcodes that make a tensor.
inline std::string torch_tensor(const HandMade& made = {}) {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + torch_text("storage") + "ctorch\n" + made.storage + "\n" +
         torch_text(made.key) + torch_text("cpu") + torch_number(made.values) + "tQ" +
         torch_number(made.first) + torch_tuple(made.shape) + torch_tuple(made.strides) + "\x89" +
         "ccollections\nOrderedDict\n)RtR";
}
/// A dict of these names and of what these opcodes make.
inline std::string torch_dict(const Members& entries) {
  std::string opcodes = "}(";
  for (const auto& [name, value] : entries) opcodes += torch_text(name) + value;
  return opcodes + "u";
}
inline std::string torch_pickle(const std::string& opcodes) { return "\x80\x02" + opcodes + "."; }

/// A whole file, with one storage "0" of 24 bytes: the floats 0 to 5 are in it.
inline std::string torch_file(const std::string& opcodes, Members more = {}) {
  std::string values;
  for (const float value : {0.0F, 1.0F, 2.0F, 3.0F, 4.0F, 5.0F})
    values.append(reinterpret_cast<const char*>(&value), sizeof value);
  Members members = {{"w/data.pkl", torch_pickle(opcodes)}, {"w/byteorder", "little"}, {"w/data/0", values}};
  members.insert(members.end(), more.begin(), more.end());
  return zip_of(members);
}

}  // namespace facemae::test
