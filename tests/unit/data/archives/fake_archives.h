#pragma once
// A source that streams: the images of another one, dealt out over archives in an order of their own.

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/random/keys.h"
#include "data/source/source.h"

namespace facemae::fake_archives {

class Archives final : public ImageSource {
 public:
  Archives(const ImageSource& images, std::size_t archives) : images_(images), archives_(archives) {
    for (std::uint64_t entry = 0; entry < images.size(); ++entry)
      archives_[mix(entry + 5) % archives].push_back(entry);
    for (auto& archive : archives_)
      std::sort(archive.begin(), archive.end(), [](auto a, auto b) { return mix(a) < mix(b); });
  }
  std::uint64_t identities() const override { return images_.identities(); }
  std::string identity_name(std::uint64_t label) const override { return images_.identity_name(label); }
  std::uint64_t size() const override { return images_.size(); }
  std::int64_t label(std::uint64_t entry) const override { return images_.label(entry); }
  std::string name(std::uint64_t entry) const override { return images_.name(entry); }
  std::size_t archives() const override { return archives_.size(); }
  std::vector<std::byte> read(std::uint64_t) const override { throw Error("an archive was read at random"); }
  void stream(std::size_t archive, const std::function<void(Streamed)>& take) const override {
    if (archive == broken) throw DataError("archive " + std::to_string(archive) + " is cut off");
    for (const std::uint64_t entry : archives_.at(archive)) {
      if (lost.contains(entry)) continue;
      Streamed image{entry, {}, ""};
      try {
        image.bytes = images_.read(entry);
      } catch (const Error& error) {
        image.reject = error.what();
      }
      take(std::move(image));
    }
  }

  std::set<std::uint64_t> lost;                       ///< entries that no archive hands over
  std::size_t broken = static_cast<std::size_t>(-1);  ///< an archive that cannot be read

 private:
  const ImageSource& images_;
  std::vector<std::vector<std::uint64_t>> archives_;
};

}  // namespace facemae::fake_archives
