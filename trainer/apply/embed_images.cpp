#include "trainer/apply/embed_images.h"

#include <torch/torch.h>

#include <algorithm>

#include "cluster/host/agree.h"
#include "cluster/tensors/gather_to_root.h"
#include "core/progress.h"
#include "model/common/pixels.h"
#include "trainer/images/face_batches.h"

namespace facemae {
namespace {

/// A part is embedded in batches of nearly equal size, for in very small ones kernels round otherwise, and embeddings
/// would depend on how images are dealt to ranks.
std::int64_t even_batch(std::size_t images, std::int64_t largest) {
  const auto count = static_cast<std::int64_t>(images);
  const std::int64_t batches = std::max<std::int64_t>(1, (count + largest - 1) / largest);
  return std::max<std::int64_t>(1, (count + batches - 1) / batches);
}

}  // namespace

void embed_range(const ImageSet& images, std::size_t first, std::size_t last, RecognitionNetwork& network,
                 torch::Device device, const EmbedConfig& config, const EmbeddingSink& sink,
                 bool show_progress) {
  torch::NoGradGuard no_grad;
  FaceBatches batches(images, first, last, static_cast<std::size_t>(config.batch), config.decoders);
  Progress progress("embedding", last - first, "images", show_progress);
  while (const auto batch = batches.next()) {
    auto faces = to_network_input(batch->pixels, kAlignedSize, {}, device);
    if (config.bgr) faces = faces.flip({1});
    torch::Tensor embedding, norms;
    {
      const Autocast reduced(config.precision, device);
      embedding = network.forward(faces);
      norms = embedding.to(torch::kFloat32).norm(2, 1);
      if (config.flip_sum) {
        const auto mirrored = network.forward(faces.flip({3}));
        norms = (norms + mirrored.to(torch::kFloat32).norm(2, 1)) / 2;
        embedding = embedding + mirrored;
      }
    }
    if (config.refuse_not_finite && !torch::isfinite(embedding).all().item<bool>())
      throw DataError("the network's embeddings are not finite (images " + images.name(batch->first) +
                      " to " + images.name(batch->first + batch->count - 1) +
                      "): its weights are unusable; take an earlier checkpoint");
    if (config.normalise)
      embedding =
          torch::nn::functional::normalize(embedding, torch::nn::functional::NormalizeFuncOptions().dim(1));
    sink(embedding.to(torch::kFloat32).to(torch::kCPU).contiguous(), norms.to(torch::kCPU));
    progress.advance(batch->count);
  }
  progress.finish();
}

Embeddings embed_images(const ImageSet& images, RecognitionNetwork& network, World& world,
                        const EmbedConfig& config) {
  const int rank = world.topology().rank, ranks = world.topology().size;
  std::vector<std::int64_t> rows_of_rank;
  for (int r = 0; r < ranks; ++r) {
    const auto part = own_images(images, r, ranks);
    rows_of_rank.push_back(static_cast<std::int64_t>(part.second - part.first));
  }
  torch::NoGradGuard no_grad;
  torch::Tensor rows = torch::empty({0, 0}),
                norms = torch::empty({rows_of_rank[static_cast<std::size_t>(rank)], 1});
  together(world.control(), [&] {
    const auto [first, last] = own_images(images, rank, ranks);
    EmbedConfig even = config;
    even.batch = even_batch(last - first, config.batch);
    std::int64_t at = 0;
    embed_range(
        images, first, last, network, world.device(), even,
        [&](const torch::Tensor& batch, const torch::Tensor& batch_norms) {
          if (at == 0) rows = torch::empty({norms.size(0), batch.size(1)});
          rows.narrow(0, at, batch.size(0)).copy_(batch);
          norms.narrow(0, at, batch.size(0)).select(1, 0).copy_(batch_norms);
          at += batch.size(0);
        },
        config.show_progress && rank == 0);
  });
  Embeddings all{.rows = gather_to_root(rows, world.control(), rows_of_rank)};
  const torch::Tensor all_norms = gather_to_root(norms, world.control(), rows_of_rank);
  if (world.control().is_root()) all.xnorm = all_norms.to(torch::kFloat64).mean().item<double>();
  return all;
}

}  // namespace facemae
