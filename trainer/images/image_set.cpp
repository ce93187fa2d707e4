#include "trainer/images/image_set.h"

#include "data/image/resize.h"

namespace facemae {

ImageSet images_of(std::shared_ptr<const Store> store, std::vector<std::uint64_t> rows) {
  auto shared = std::make_shared<const std::vector<std::uint64_t>>(std::move(rows));
  Hasher contents;
  contents.add_value(store->dataset_digest());
  contents.add(bytes_of(std::span<const std::uint64_t>(*shared)));
  return {.size = shared->size(),
          .stored = true,
          .read =
              [store = std::move(store), shared](std::size_t i) {
                std::vector<std::byte> encoded;
                store->read((*shared)[i], encoded);
                return encoded;
              },
          .name = [shared](std::size_t i) { return "row " + std::to_string((*shared)[i]); },
          .contents = contents.digest()};
}

ImageSet images_of(std::vector<Path> files, const std::vector<std::string>& names) {
  auto shared = std::make_shared<const std::vector<Path>>(std::move(files));
  Hasher contents;
  for (const auto& name : names) contents.add(bytes_of(name + '\n'));
  return {.size = shared->size(),
          .read = [shared](std::size_t i) { return read_bytes((*shared)[i]); },
          .name = [shared](std::size_t i) { return (*shared)[i].string(); },
          .contents = contents.digest()};
}

ImageSet images_of(std::vector<Path> files) {
  const std::vector<std::string> names(files.begin(), files.end());
  return images_of(std::move(files), names);
}

ImageSet images_of(std::vector<std::vector<std::byte>> encoded) {
  auto shared = std::make_shared<std::vector<std::vector<std::byte>>>(std::move(encoded));
  Hasher contents;
  for (const auto& image : *shared) {
    contents.add_value(image.size());
    contents.add(Bytes(image));
  }
  return {.size = shared->size(),
          .read = [shared](std::size_t i) { return (*shared)[i]; },
          .name = [](std::size_t i) { return "image " + std::to_string(i); },
          .keep =
              [shared](std::size_t first, std::size_t last) {
                for (std::size_t i = 0; i < shared->size(); ++i)
                  if (i < first || i >= last) (*shared)[i] = {};
              },
          .contents = contents.digest()};
}

Image as_face(const ImageSet& images, std::size_t i, const std::vector<std::byte>& encoded,
              Decoder& decoder) {
  const Image picture = images.stored ? decoder.decode(encoded) : decoder.decode_upright(encoded);
  return images.points ? align_face(picture, images.points(i, picture.width, picture.height))
                       : fit_square(picture, kAlignedSize);
}

std::pair<std::size_t, std::size_t> own_images(const ImageSet& images, int rank, int ranks) {
  const auto first_of = [&](int r) {
    return static_cast<std::size_t>(r) * images.size / static_cast<std::size_t>(ranks);
  };
  return {first_of(rank), first_of(rank + 1)};
}

void keep_own(const ImageSet& images, int rank, int ranks) {
  const auto [first, last] = own_images(images, rank, ranks);
  images.keep(first, last);
}

}  // namespace facemae
