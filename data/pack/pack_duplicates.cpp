#include "data/pack/pack_duplicates.h"

#include <algorithm>
#include <span>

#include "core/log.h"

namespace facemae {
namespace {

Path path_of(const Journal& journal, int rank) {
  return journal.folder() / fmt::format("duplicates-{:05}", rank);
}

/// Searches the images whose hash falls into part `part` of `parts`.
void find_in_part(const Journal& journal, std::uint64_t part, std::uint64_t parts, std::uint64_t expected,
                  std::vector<Duplicate>& found) {
  std::vector<Journal::Stored> images;
  images.reserve(expected);
  for (const std::uint64_t shard : journal.finished_shards())
    for (const auto& image : journal.images(shard))
      if (image.hash % parts == part) images.push_back(image);
  std::sort(images.begin(), images.end(),
            [](auto& a, auto& b) { return std::pair(a.hash, a.entry) < std::pair(b.hash, b.entry); });
  for (std::size_t i = 1, first = 0; i < images.size(); ++i) {
    if (images[i].hash == images[first].hash)
      found.push_back({images[i].entry, images[first].entry});
    else
      first = i;
  }
}

}  // namespace

void find_duplicates(FileSystem& files, const Journal& journal, std::uint64_t images, int rank, int ranks,
                     std::uint64_t at_once) {
  const auto world = static_cast<std::uint64_t>(ranks);
  const std::uint64_t turns = images / (at_once * world) + 1, parts = world * turns;
  std::vector<Duplicate> found;
  for (std::uint64_t part = static_cast<std::uint64_t>(rank); part < parts; part += world)
    find_in_part(journal, part, parts, images / parts, found);
  write_durably(files, path_of(journal, rank), std::as_bytes(std::span(found)));
}

std::vector<Duplicate> found_duplicates(const Journal& journal, int ranks) {
  std::vector<Duplicate> all;
  for (int rank = 0; rank < ranks; ++rank) {
    const InputFile file(path_of(journal, rank));
    std::vector<Duplicate> found(file.size() / sizeof(Duplicate));
    file.read_at(0, std::as_writable_bytes(std::span(found)));
    all.insert(all.end(), found.begin(), found.end());
  }
  std::sort(all.begin(), all.end(), [](auto& a, auto& b) { return a.entry < b.entry; });
  return all;
}

}  // namespace facemae
