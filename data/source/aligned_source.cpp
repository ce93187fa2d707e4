// aligned_source() of data/source/source.h: another source's images, moved to the ArcFace position.
#include <algorithm>
#include <charconv>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "data/image/landmarks.h"
#include "data/source/source.h"

namespace facemae {
namespace {

std::string_view file_name_of(std::string_view name) { return name.substr(name.rfind('/') + 1); }

class AlignedSource final : public ImageSource {
 public:
  AlignedSource(std::unique_ptr<ImageSource> inner, Landmarks landmarks)
      : inner_(std::move(inner)), landmarks_(std::move(landmarks)) {
    if (landmarks_.by_index()) number_keys();
  }
  void check() const {
    std::vector<bool> used(landmarks_.size());
    std::uint64_t missing = 0;
    std::string first_missing;
    for (std::uint64_t entry = 0; entry < inner_->size(); ++entry) {
      const auto row = row_of(entry);
      if (!row) {
        if (missing++ == 0) first_missing = inner_->name(entry);
        continue;
      }
      if (used[*row])
        throw ConfigError(
            fmt::format("{}: its line for {} fits several images of that file name; "
                        "name images as <identity>/<image> in the list",
                        landmarks_.origin(), inner_->name(entry)));
      used[*row] = true;
    }
    if (missing == inner_->size())
      throw ConfigError(
          fmt::format("{} has landmarks of none of the {} images, {} for one; "
                      "its first column must be <identity>/<image> or the file name",
                      landmarks_.origin(), inner_->size(), first_missing));
    if (missing > 0)
      spdlog::warn("{} has no landmarks of {} image(s) ({} for one): they are rejected", landmarks_.origin(),
                   human_count(missing), first_missing);
  }

  std::uint64_t identities() const override { return inner_->identities(); }
  std::string identity_name(std::uint64_t label) const override { return inner_->identity_name(label); }
  std::uint64_t size() const override { return inner_->size(); }
  std::int64_t label(std::uint64_t entry) const override { return inner_->label(entry); }
  std::string name(std::uint64_t entry) const override { return inner_->name(entry); }
  Hash128 digest() const override { return inner_->digest(); }
  std::size_t archives() const override { return inner_->archives(); }
  std::vector<std::byte> read(std::uint64_t entry) const override {
    return aligned(entry, inner_->read(entry));
  }
  void stream(std::size_t archive, const std::function<void(Streamed)>& take) const override {
    inner_->stream(archive, [&](Streamed image) {
      try {
        if (image.reject.empty()) image.bytes = aligned(image.entry, image.bytes);
      } catch (const DataError& error) {
        image.bytes.clear();
        image.reject = error.what();
      }
      take(std::move(image));
    });
  }

 private:
  /// Keys of a .rec are counted from the first one (InsightFace's begin at 1), as CVLface counts.
  void number_keys() {
    std::uint64_t first = UINT64_MAX, last = 0;
    for (std::uint64_t entry = 0; entry < inner_->size(); ++entry) {
      const std::uint64_t key = key_of(entry);
      first = std::min(first, key);
      last = std::max(last, key);
    }
    if (inner_->size() == 0 || last - first + 1 != inner_->size())
      throw ConfigError(fmt::format("{} numbers images (idx), but the keys {} to {} of the .rec have gaps",
                                    landmarks_.origin(), first, last));
    first_key_ = first;
  }
  std::uint64_t key_of(std::uint64_t entry) const {
    const std::string name = inner_->name(entry);
    const std::string_view file = file_name_of(name);
    std::uint64_t key = 0;
    const auto [end, fault] = std::from_chars(file.data(), file.data() + file.size(), key);
    if (fault != std::errc() || end != file.data() + file.size())
      throw ConfigError(
          fmt::format("{} numbers images (idx): it belongs to a .rec, packed with --from rec; "
                      "{} has no number",
                      landmarks_.origin(), name));
    return key;
  }
  std::optional<std::size_t> row_of(std::uint64_t entry) const {
    if (landmarks_.by_index()) return landmarks_.find(std::to_string(key_of(entry) - first_key_));
    return landmarks_.find_image(inner_->name(entry));
  }

  std::vector<std::byte> aligned(std::uint64_t entry, const std::vector<std::byte>& bytes) const {
    const auto row = row_of(entry);
    if (!row) throw DataError("no landmarks of it in " + landmarks_.origin());
    thread_local Decoder decoder;
    const Image image = decoder.decode_upright(bytes);
    const Image face = align_face(image, landmarks_.points(*row, image.width, image.height));
    return encode_again(face, decoder.header(bytes));
  }

  std::unique_ptr<ImageSource> inner_;
  Landmarks landmarks_;
  std::uint64_t first_key_ = 0;
};

}  // namespace

std::unique_ptr<ImageSource> aligned_source(std::unique_ptr<ImageSource> inner, Landmarks landmarks,
                                            bool check) {
  auto source = std::make_unique<AlignedSource>(std::move(inner), std::move(landmarks));
  if (check) source->check();
  return source;
}

}  // namespace facemae
