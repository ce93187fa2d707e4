#include "trainer/input/transfer.h"

#include <torch/torch.h>

#include <algorithm>

#include "core/error.h"
#include "model/common/pixels.h"

namespace facemae {
namespace {

torch::Tensor bytes_at(const void* data, std::size_t bytes) {
  return torch::from_blob(const_cast<void*>(data), {static_cast<std::int64_t>(bytes)}, torch::kUInt8);
}

}  // namespace

struct Transfer::Buffers {
  /// A row of bytes on the device that only grows.
  struct Room {
    torch::Tensor bytes;

    /// The first `count` bytes. Fresh memory of the computing stream may still be read by what it has been given.
    torch::Tensor first(std::int64_t count, SideStream& side) {
      if (!bytes.defined() || bytes.size(0) < count) {
        bytes = torch::empty({count}, torch::TensorOptions().dtype(torch::kUInt8).device(side.device()));
        side.wait(*side.mark_computing());
      }
      return bytes.narrow(0, 0, count);
    }
  };

  Room pixels, noise, labels, flips;
  torch::Tensor small;               ///< page-locked: labels, then flips
  std::unique_ptr<ByteBatch> batch;  ///< kept while it is copied
  SideStream::MarkPtr arrived, read;
};

Transfer::Transfer(std::shared_ptr<SideStream> side, const BatchPlan& plan, std::uint64_t seed, bool flip,
                   bool labels)
    : side_(std::move(side)), plan_(plan), seed_(seed), flip_(flip), labels_(labels) {
  for (auto& buffers : buffers_) buffers = std::make_unique<Buffers>();
}

Transfer::~Transfer() {
  try {
    for (const auto& buffers : buffers_)
      if (buffers->arrived) buffers->arrived->wait();
  } catch (const std::exception&) {  // the device is lost, and nothing is copied any more
  }
}

Transfer::Buffers& Transfer::turn() { return *buffers_[turn_]; }

std::unique_ptr<ByteBatch> Transfer::spare() {
  Buffers& buffers = turn();
  if (under_way_ || !buffers.batch) return nullptr;
  buffers.arrived->wait();
  return std::move(buffers.batch);
}

void Transfer::send(std::unique_ptr<ByteBatch> bytes) {
  if (under_way_) throw Error("sending a micro-batch to the device: the one before was not received");
  Buffers& to = turn();
  if (to.arrived) to.arrived->wait();  // of two batches ago: it was page-locked memory that is written to now
  if (to.read) side_->wait(*to.read);
  const std::size_t count = bytes->ordinals.size();
  const auto copy = [&](Buffers::Room& room, const void* data, std::size_t size) {
    if (size > 0) side_->copy(room.first(static_cast<std::int64_t>(size), *side_), bytes_at(data, size));
  };
  copy(to.pixels, bytes->pixels.data(), bytes->pixels.size());
  copy(to.noise, bytes->noise.data(), bytes->noise.size() * sizeof(double));
  const auto small = static_cast<std::int64_t>(count * (sizeof(std::int64_t) + 1));
  if (!to.small.defined() || to.small.size(0) < small) to.small = side_->pinned(small);
  auto* const labels = reinterpret_cast<std::int64_t*>(to.small.mutable_data_ptr<std::uint8_t>());
  auto* const flips = reinterpret_cast<std::uint8_t*>(labels + count);
  if (labels_) {
    std::copy(bytes->labels.begin(), bytes->labels.end(), labels);
    copy(to.labels, labels, count * sizeof(std::int64_t));
  }
  if (flip_) {
    for (std::size_t i = 0; i < count; ++i) flips[i] = is_mirrored(seed_, bytes->ordinals[i]) ? 1 : 0;
    copy(to.flips, flips, count);
  }
  to.arrived = side_->mark();
  to.batch = std::move(bytes);
  under_way_ = true;
}

Faces Transfer::receive() {
  if (!under_way_) throw Error("receiving a micro-batch on the device: none was sent");
  Buffers& from = turn();
  const ByteBatch& batch = *from.batch;
  const auto count = static_cast<std::int64_t>(batch.ordinals.size());
  side_->computing_waits(*from.arrived);
  const auto taken = [&](Buffers::Room& room, std::int64_t bytes, torch::ScalarType type) {
    return room.first(bytes * count, *side_)
        .view(type)
        .view({count, bytes / static_cast<std::int64_t>(c10::elementSize(type))});
  };
  const auto image = static_cast<std::int64_t>(image_bytes(batch.image, batch.format));
  const auto flips = flip_ ? taken(from.flips, 1, torch::kUInt8).flatten() : torch::Tensor();
  const auto convert = batch.format == PixelFormat::Rgb ? network_input_of : network_input_of_planes;
  Faces faces{.images = convert(taken(from.pixels, image, torch::kUInt8), batch.image, flips),
              .labels = labels_ ? taken(from.labels, 8, torch::kInt64).flatten().clone() : torch::Tensor(),
              .noise = {},
              .ordinals = batch.ordinals,
              .rows_of_rank = plan_.rows_of_rank(batch.micro),
              .step = batch.step,
              .micro = batch.micro};
  if (!batch.noise.empty())
    faces.noise =
        taken(from.noise, static_cast<std::int64_t>(batch.noise.size()) * 8 / count, torch::kFloat64).clone();
  from.read = side_->mark_computing();
  turn_ = 1 - turn_;
  under_way_ = false;
  return faces;
}

const ByteBatch* Transfer::sent() const { return under_way_ ? buffers_[turn_]->batch.get() : nullptr; }

std::unique_ptr<ByteBatch> Transfer::take_back() {
  if (!under_way_) return nullptr;
  under_way_ = false;
  turn().arrived->wait();
  return std::move(turn().batch);
}

}  // namespace facemae
