#include "trainer/images/align_images.h"

#include "core/error.h"
#include "core/log.h"

namespace facemae {

void align_images(ImageSet& images, Landmarks landmarks, const std::vector<std::string>& paths) {
  if (landmarks.by_index())
    throw ConfigError(
        landmarks.origin() +
        " numbers images (idx): it belongs to a .rec; pack that by --from rec --landmarks, and evaluate "
        "by --store");
  std::vector<std::size_t> rows;
  std::vector<bool> used(landmarks.size());
  std::size_t missing = 0;
  std::string first_missing;
  Hasher contents;
  contents.add_value(images.contents);
  for (const auto& path : paths) {
    const auto row = landmarks.find_image(path);
    if (!row) {
      if (missing++ == 0) first_missing = path;
      continue;
    }
    if (used[*row])
      throw ConfigError(
          fmt::format("{}: its line for {} fits several images of that file name; name images as "
                      "<folder>/<image> in the list",
                      landmarks.origin(), path));
    used[*row] = true;
    rows.push_back(*row);
    for (const auto& [x, y] : landmarks.points(*row, 1, 1)) {
      contents.add_value(x);
      contents.add_value(y);
    }
  }
  if (missing > 0)
    throw ConfigError(
        fmt::format("{} has no landmarks of {} of the {} images, {} for one: add their lines, or leave out "
                    "--landmarks if the images are aligned",
                    landmarks.origin(), missing, paths.size(), first_missing));
  images.contents = contents.digest();
  images.points = [landmarks = std::make_shared<const Landmarks>(std::move(landmarks)),
                   rows = std::move(rows)](std::size_t i, int width, int height) {
    return landmarks->points(rows[i], width, height);
  };
}

}  // namespace facemae
