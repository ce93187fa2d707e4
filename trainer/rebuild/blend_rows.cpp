#include "trainer/rebuild/blend_rows.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "model/facemae/blend.h"

namespace facemae {
namespace {

constexpr std::size_t kMostPhotos = 1024;

/// Pictures that are made together, and where their photos are among those that are encoded for them.
struct Run {
  std::vector<std::size_t> pictures;
  std::map<std::uint64_t, std::int64_t> photos;  ///< row -> place
};

/// Pictures of one class in runs of few photos; a class is known by the person of its first photo.
std::vector<Run> runs_of(const Store& source, const std::vector<std::uint64_t>& rows, std::size_t photos) {
  std::vector<std::size_t> order(rows.size() / photos);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto person_of = [&](std::size_t picture) { return source.label(rows[picture * photos]); };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return person_of(a) < person_of(b); });
  std::vector<Run> runs;
  for (const std::size_t picture : order) {
    if (runs.empty() || runs.back().photos.size() + photos > kMostPhotos ||
        person_of(runs.back().pictures.back()) != person_of(picture))
      runs.emplace_back();
    runs.back().pictures.push_back(picture);
    for (std::size_t i = 0; i < photos; ++i) runs.back().photos.emplace(rows[picture * photos + i], 0);
  }
  for (Run& run : runs) {
    std::int64_t place = 0;
    for (auto& [row, at] : run.photos) at = place++;
  }
  return runs;
}

struct Encoded {
  torch::Tensor tokens, hidden;  ///< [U, 1 + N, D], [U, N]
};
Encoded encode_photos(const Store& source, const Run& run, FaceMae& model, torch::Device device,
                      const RebuildConfig& config) {
  std::vector<std::uint64_t> rows;
  for (const auto& [row, at] : run.photos) rows.push_back(row);
  std::vector<torch::Tensor> tokens, hidden;
  for (std::size_t at = 0; at < rows.size(); at += config.batch) {
    const auto faces = masked_faces(
        source, std::span(rows).subspan(at, std::min(config.batch, rows.size() - at)), model, device, config);
    tokens.push_back(model->decoder_tokens(model->encode(faces.images, faces.mask), faces.mask));
    hidden.push_back(faces.mask.hidden);
  }
  return {torch::cat(tokens), torch::cat(hidden)};
}

}  // namespace

std::vector<std::vector<std::byte>> blend_rows(const Store& source, const std::vector<std::uint64_t>& rows,
                                               const Blend& blend, FaceMae& model, torch::Device device,
                                               const RebuildConfig& config,
                                               const std::function<void(std::size_t)>& advance) {
  const torch::NoGradGuard no_grad;
  std::vector<std::vector<std::byte>> made(rows.size() / blend.images);
  for (const Run& run : runs_of(source, rows, blend.images)) {
    const Encoded photos = encode_photos(source, run, model, device, config);
    for (std::size_t at = 0; at < run.pictures.size(); at += config.batch) {
      const std::size_t count = std::min(config.batch, run.pictures.size() - at);
      std::vector<std::int64_t> which;
      for (std::size_t i = at; i < at + count; ++i)
        for (std::size_t photo = 0; photo < blend.images; ++photo)
          which.push_back(run.photos.at(rows[run.pictures[i] * blend.images + photo]));
      const auto index = torch::tensor(which, torch::kInt64)
                             .view({static_cast<std::int64_t>(count), static_cast<std::int64_t>(blend.people),
                                    static_cast<std::int64_t>(blend.photos_each())})
                             .to(device);
      const auto tokens = blend_people(photos.tokens, photos.hidden, index, model->mask_token,
                                       static_cast<std::int64_t>(blend.min_people));
      std::vector<std::vector<std::byte>> pictures;
      append_encoded(model->unpatchify(model->decode_tokens(tokens)), config, pictures);
      for (std::size_t i = 0; i < count; ++i) made[run.pictures[at + i]] = std::move(pictures[i]);
      advance(count);
    }
  }
  return made;
}

}  // namespace facemae
