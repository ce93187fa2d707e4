#pragma once
// TensorBoard event files: scalars and pictures, as TFRecords of protobuf messages.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/files/files.h"
#include "data/image/image.h"

namespace facemae {

class TensorBoard {
 public:
  /// Makes events.out.tfevents.<time>.<host>.<start> in `folder`. The start goes on after `done` steps: what earlier
  /// starts wrote of later steps is not shown, since these are made again.
  TensorBoard(FileSystem& files, const Path& folder, std::uint32_t start, std::uint64_t done);
  ~TensorBoard();
  void scalars(std::uint64_t step, const std::vector<std::pair<std::string, double>>& values);
  void picture(std::uint64_t step, const std::string& tag, const Image& image);

 private:
  void write(const std::string& event);
  std::unique_ptr<OutputFile> out_;
};

/// One TFRecord: u64 length, masked CRC-32C of it, the data, their masked CRC-32C.
std::string tf_record(const std::string& data);

}  // namespace facemae
