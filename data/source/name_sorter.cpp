#include "data/source/name_sorter.h"

#include <algorithm>
#include <optional>
#include <queue>

#include "core/files/array.h"
#include "core/log.h"
#include "core/text.h"
#include "data/formats/value_at.h"

namespace facemae {
namespace {

/// Precedes both names of an image in the file.
struct RunHead {
  std::uint64_t place;
  std::uint32_t part, identity_bytes, image_bytes, unused;
};

/// The images of a run, one after the other.
class RunReader {
 public:
  explicit RunReader(Bytes run) : rest_(run) { next(); }
  const std::optional<NamedImage>& image() const { return image_; }  ///< nothing at the end
  void next() {
    image_.reset();
    if (rest_.empty()) return;
    const auto head = value_at<RunHead>(rest_, 0);
    const auto* text = reinterpret_cast<const char*>(rest_.data()) + sizeof head;
    image_ = {
        {text, head.identity_bytes}, {text + head.identity_bytes, head.image_bytes}, head.part, head.place};
    rest_ = rest_.subspan(sizeof head + head.identity_bytes + head.image_bytes);
  }

 private:
  Bytes rest_;
  std::optional<NamedImage> image_;
};

}  // namespace

NamedImage NameSorter::image_of(const Kept& kept) const {
  const char* names = text_.data() + kept.text;
  return {
      {names, kept.identity_bytes}, {names + kept.identity_bytes, kept.image_bytes}, kept.part, kept.place};
}

void NameSorter::add(const NamedImage& image) {
  kept_.push_back({text_.size(), image.place, static_cast<std::uint32_t>(image.identity.size()),
                   static_cast<std::uint32_t>(image.image.size()), image.part});
  text_.append(image.identity).append(image.image);
  ++size_;
  if (kept_.size() * sizeof(Kept) + text_.size() >= run_bytes_) end_run();
}

void NameSorter::end_run() {
  if (kept_.empty()) return;
  const auto before = [&](const Kept& a, const Kept& b) { return image_of(a).key() < image_of(b).key(); };
  if (!std::is_sorted(kept_.begin(), kept_.end(), before)) std::sort(kept_.begin(), kept_.end(), before);
  const std::pair<std::string_view, std::string_view> last(last_identity_, last_image_);
  if (runs_.empty() || image_of(kept_.front()).key() < last) runs_.push_back(sorted_.size());
  for (const Kept& kept : kept_) {
    sorted_.add_value(RunHead{kept.place, kept.part, kept.identity_bytes, kept.image_bytes, 0});
    sorted_.add({text_.data() + kept.text, std::size_t{kept.identity_bytes} + kept.image_bytes});
  }
  last_identity_ = image_of(kept_.back()).identity;
  last_image_ = image_of(kept_.back()).image;
  if (size_ > kept_.size()) spdlog::info("{} images listed so far", human_count(size_));
  kept_.clear();
  text_.clear();
}

void NameSorter::start_over() {
  kept_.clear();
  text_.clear();
  runs_.clear();
  size_ = 0;
}

void NameSorter::merge(const std::function<void(const NamedImage&)>& take) {
  end_run();
  kept_ = {};
  text_ = {};
  sorted_.flush();
  const auto mapped = map_file(file_.path(), 0, sorted_.size());
  std::vector<RunReader> runs;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    const std::uint64_t end = i + 1 < runs_.size() ? runs_[i + 1] : sorted_.size();
    runs.emplace_back(Bytes(mapped.get() + runs_[i], end - runs_[i]));
  }
  const auto comes_later = [&](std::size_t a, std::size_t b) {
    return runs[b].image()->key() < runs[a].image()->key();
  };
  std::priority_queue<std::size_t, std::vector<std::size_t>, decltype(comes_later)> heads(comes_later);
  for (std::size_t i = 0; i < runs.size(); ++i) heads.push(i);
  while (!heads.empty()) {
    const std::size_t first = heads.top();
    heads.pop();
    take(*runs[first].image());
    runs[first].next();
    if (runs[first].image()) heads.push(first);
  }
}

}  // namespace facemae
