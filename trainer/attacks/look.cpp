#include "trainer/attacks/look.h"

#include <torch/torch.h>

#include <algorithm>
#include <vector>

#include "cluster/host/agree.h"
#include "cluster/tensors/collectives.h"
#include "evaluation/linkage/features.h"
#include "trainer/attacks/picture_batch.h"

namespace facemae {
namespace {

constexpr std::int64_t kBatch = 64;
constexpr std::int64_t kBlock = 4096;  ///< pictures that ranks exchange at a time

/// Rank r has pictures [rP/W, (r+1)P/W).
struct Shares {
  Shares(std::int64_t pictures, const Topology& place) {
    for (std::int64_t r = 0; r < place.size; ++r)
      rows_of_rank.push_back((r + 1) * pictures / place.size - r * pictures / place.size);
    first = place.rank * pictures / place.size;
    own = rows_of_rank[static_cast<std::size_t>(place.rank)];
  }
  std::vector<std::int64_t> rows_of_rank;
  std::int64_t first = 0, own = 0;
};

/// All ranks: `work` makes this rank's rows; every rank gets all, on the host.
torch::Tensor from_all(World& world, const Shares& shares, const std::function<torch::Tensor()>& work) {
  const torch::NoGradGuard no_grad;
  torch::Tensor own;
  together(world.control(), [&] { own = work(); });
  const auto all = gather_rows(own.to(world.device()), world.batch(), shares.rows_of_rank);
  world.batch().check();
  return all.to(torch::kCPU);
}

}  // namespace

torch::Tensor features_of(const torch::Tensor& pictures, std::int64_t width, World& world,
                          const OfPictures& to_rows, RowMemory& memory) {
  return memory.rows_of(pictures, [&](const torch::Tensor& fresh) {
    const Shares shares(fresh.size(0), world.topology());
    return from_all(world, shares, [&] {
      if (shares.own == 0) return torch::empty({0, width});
      return features_in_batches(
          fresh.narrow(0, shares.first, shares.own), kBatch,
          [&](const torch::Tensor& images) { return to_rows(images.to(world.device())); });
    });
  });
}

torch::Tensor pictures_of(const torch::Tensor& pictures, World& world, const OfPictures& to_images) {
  std::vector<torch::Tensor> all{pictures.narrow(0, 0, 0)};
  for (std::int64_t at = 0; at < pictures.size(0); at += kBlock) {
    const auto block = pictures.narrow(0, at, std::min(kBlock, pictures.size(0) - at));
    const Shares shares(block.size(0), world.topology());
    all.push_back(from_all(world, shares, [&] {
      std::vector<torch::Tensor> own{block.narrow(0, 0, 0)};
      for (std::int64_t from = 0; from < shares.own; from += kBatch) {
        const auto some = block.narrow(0, shares.first + from, std::min(kBatch, shares.own - from));
        const auto images = to_images(as_floats(some.to(world.device())));
        own.push_back(images.mul(127.5).add(127.5).round().clamp(0, 255).to(torch::kUInt8).to(torch::kCPU));
      }
      return torch::cat(own);
    }));
  }
  return torch::cat(all);
}

torch::Tensor embeddings_of(const torch::Tensor& pictures, RecognitionNetwork& network, World& world,
                            RowMemory& memory) {
  network.eval();
  const auto both = [&](const torch::Tensor& images) {
    const auto faces = resized(images, kFaceSide);
    return network.forward(faces) + network.forward(faces.flip({3}));
  };
  return features_of(pictures, network.width(), world, both, memory);
}

}  // namespace facemae
