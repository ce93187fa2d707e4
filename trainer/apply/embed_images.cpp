#include "trainer/apply/embed_images.h"

#include <torch/torch.h>

#include <algorithm>

#include "cluster/host/agree.h"
#include "cluster/tensors/collectives.h"
#include "core/progress.h"
#include "data/image/resize.h"
#include "model/common/pixels.h"

namespace facemae {
namespace {

constexpr int kSide = 112;
constexpr int kLongest =
    64;  ///< of sides, in the short side: what would become millions of pixels is no face

/// [first, last): contiguous parts, of which a rank decodes and embeds its own.
std::pair<std::size_t, std::size_t> own_images(const ImageSet& images, std::size_t rank, std::size_t ranks) {
  return {rank * images.size / ranks, (rank + 1) * images.size / ranks};
}

}  // namespace

void embed_range(const ImageSet& images, std::size_t first, std::size_t last, RecognitionNetwork& network,
                 torch::Device device, const EmbedConfig& config,
                 const std::function<void(const torch::Tensor&)>& sink, bool show_progress) {
  torch::NoGradGuard no_grad;
  Decoder decoder;
  Progress progress("embedding", last - first, "images", show_progress);
  for (std::size_t at = first; at < last;) {
    const std::size_t end = std::min(last, at + static_cast<std::size_t>(config.batch));
    std::vector<std::uint8_t> pixels;
    const std::size_t count = end - at;
    for (; at < end; ++at) {
      const auto encoded = images.read(at);
      try {
        const Image face = as_face(images, encoded, decoder);
        pixels.insert(pixels.end(), face.pixels.begin(), face.pixels.end());
      } catch (const DataError& error) {
        throw DataError(images.name(at) + ": " + error.what());
      }
    }
    auto faces = to_network_input(pixels, kSide, {}, device);
    if (config.bgr) faces = faces.flip({1});
    torch::Tensor embedding;
    {
      const Autocast reduced(config.precision, device);
      embedding = network.forward(faces);
      if (config.flip_sum) embedding = embedding + network.forward(faces.flip({3}));
    }
    if (config.refuse_not_finite && !torch::isfinite(embedding).all().item<bool>())
      throw DataError("the network's embeddings are not finite (images " + images.name(at - count) + " to " +
                      images.name(at - 1) + "): its weights are unusable; take an earlier checkpoint");
    if (config.normalise)
      embedding =
          torch::nn::functional::normalize(embedding, torch::nn::functional::NormalizeFuncOptions().dim(1));
    sink(embedding.to(torch::kFloat32).to(torch::kCPU).contiguous());
    progress.advance(count);
  }
  progress.finish();
}

ImageSet images_of(std::shared_ptr<const Store> store, std::vector<std::uint64_t> rows) {
  auto shared = std::make_shared<const std::vector<std::uint64_t>>(std::move(rows));
  return {.size = shared->size(),
          .stored = true,
          .read =
              [store = std::move(store), shared](std::size_t i) {
                std::vector<std::byte> encoded;
                store->read((*shared)[i], encoded);
                return encoded;
              },
          .name = [shared](std::size_t i) { return "row " + std::to_string((*shared)[i]); }};
}

ImageSet images_of(std::vector<Path> files) {
  auto shared = std::make_shared<const std::vector<Path>>(std::move(files));
  return {.size = shared->size(),
          .read = [shared](std::size_t i) { return read_bytes((*shared)[i]); },
          .name = [shared](std::size_t i) { return (*shared)[i].string(); }};
}

ImageSet images_of(std::vector<std::vector<std::byte>> encoded) {
  auto shared = std::make_shared<std::vector<std::vector<std::byte>>>(std::move(encoded));
  return {.size = shared->size(),
          .read = [shared](std::size_t i) { return (*shared)[i]; },
          .name = [](std::size_t i) { return "image " + std::to_string(i); },
          .keep =
              [shared](std::size_t first, std::size_t last) {
                for (std::size_t i = 0; i < shared->size(); ++i)
                  if (i < first || i >= last) (*shared)[i] = {};
              }};
}

void keep_own(const ImageSet& images, int rank, int ranks) {
  const auto own = own_images(images, static_cast<std::size_t>(rank), static_cast<std::size_t>(ranks));
  images.keep(own.first, own.second);
}

Image as_face(const ImageSet& images, const std::vector<std::byte>& encoded, Decoder& decoder) {
  return fit_square(images.stored ? decoder.decode(encoded) : decoder.decode_upright(encoded), kSide);
}

torch::Tensor embed_images(const ImageSet& images, RecognitionNetwork& network, World& world,
                           const EmbedConfig& config) {
  const auto ranks = static_cast<std::size_t>(world.topology().size),
             rank = static_cast<std::size_t>(world.topology().rank);
  std::vector<std::int64_t> rows_of_rank;
  for (std::size_t r = 0; r < ranks; ++r) {
    const auto part = own_images(images, r, ranks);
    rows_of_rank.push_back(static_cast<std::int64_t>(part.second - part.first));
  }
  std::vector<torch::Tensor> own{torch::empty({0, network.width()})};
  together(world.control(), [&] {
    const auto own_part = own_images(images, rank, ranks);
    embed_range(
        images, own_part.first, own_part.second, network, world.device(), config,
        [&](const torch::Tensor& rows) { own.push_back(rows); }, config.show_progress && rank == 0);
  });
  torch::NoGradGuard no_grad;
  const auto all = gather_rows(torch::cat(own).to(world.device()), world.batch(), rows_of_rank);
  world.batch().check();  // figures are made of these
  return all.to(torch::kCPU);
}

}  // namespace facemae
