#include "trainer/files/tensorboard.h"

#include <chrono>
#include <cstring>

#include "core/host.h"
#include "trainer/files/tensorboard.pb.h"

namespace facemae {
namespace {

std::uint32_t masked_crc(const std::string& data) {
  const std::uint32_t crc = crc32c(bytes_of(data));
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

template <class T>
std::string little_endian(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);  // our machines are little-endian
  return bytes;
}

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

std::string tf_record(const std::string& data) {
  const std::string length = little_endian(static_cast<std::uint64_t>(data.size()));
  return length + little_endian(masked_crc(length)) + data + little_endian(masked_crc(data));
}

TensorBoard::TensorBoard(FileSystem& files, const Path& folder, std::uint32_t start, std::uint64_t done) {
  const auto seconds = static_cast<std::int64_t>(wall_time());
  out_ = files.create(folder / ("events.out.tfevents." + std::to_string(seconds) + "." + host_name() + "." +
                                std::to_string(start)));
  tensorboard::Event event;
  event.set_wall_time(wall_time());
  event.set_file_version("brain.Event:2");
  write(event.SerializeAsString());
  event.set_step(static_cast<std::int64_t>(done + 1));
  event.mutable_session_log()->set_status(tensorboard::SessionLog::START);
  write(event.SerializeAsString());
}
TensorBoard::~TensorBoard() = default;

void TensorBoard::write(const std::string& event) { out_->write(bytes_of(tf_record(event))); }

void TensorBoard::scalars(std::uint64_t step, const std::vector<std::pair<std::string, double>>& values) {
  tensorboard::Event event;
  event.set_wall_time(wall_time());
  event.set_step(static_cast<std::int64_t>(step));
  for (const auto& [tag, value] : values) {
    auto* entry = event.mutable_summary()->add_value();
    entry->set_tag(tag);
    entry->set_simple_value(static_cast<float>(value));
  }
  write(event.SerializeAsString());
}

void TensorBoard::picture(std::uint64_t step, const std::string& tag, const Image& image) {
  tensorboard::Event event;
  event.set_wall_time(wall_time());
  event.set_step(static_cast<std::int64_t>(step));
  auto* entry = event.mutable_summary()->add_value();
  entry->set_tag(tag);
  entry->mutable_image()->set_height(image.height);
  entry->mutable_image()->set_width(image.width);
  entry->mutable_image()->set_colorspace(3);
  const auto png = encode_png(image);
  entry->mutable_image()->set_encoded_image_string(png.data(), png.size());
  write(event.SerializeAsString());
}

}  // namespace facemae
