// synth_source() of data/source/source.h: faces rendered when they are asked for.
#include "core/error.h"
#include "data/image/image.h"
#include "data/source/source.h"
#include "data/synth/synth.h"

namespace facemae {
namespace {

class SynthSource final : public ImageSource {
 public:
  SynthSource(std::uint64_t seed, std::uint64_t first, std::uint64_t identities, std::uint64_t images)
      : seed_(seed), first_(first), images_(images) {
    if (identities == 0 || images == 0)
      throw ConfigError(
          "packing synthetic faces: at least one identity and one image per identity are needed");
    entries_.reserve(identities * images);
    for (std::uint64_t k = 0; k < identities; ++k) {
      names_.push_back(synth_name(first + k));
      for (std::uint64_t i = 0; i < images; ++i)
        entries_.push_back({static_cast<std::int64_t>(k), names_.back() + "/" + std::to_string(i) + ".jpg"});
    }
  }
  const std::vector<std::string>& identity_names() const override { return names_; }
  std::uint64_t size() const override { return entries_.size(); }
  std::int64_t label(std::uint64_t entry) const override { return entries_.at(entry).label; }
  std::string name(std::uint64_t entry) const override { return entries_.at(entry).name; }
  std::vector<std::byte> read(std::uint64_t entry) const override {
    return encode_jpeg(render_face(seed_, first_ + entry / images_, entry % images_), 95);
  }

 private:
  struct Entry {
    std::int64_t label;
    std::string name;
  };
  std::uint64_t seed_, first_, images_;
  std::vector<std::string> names_;
  std::vector<Entry> entries_;
};

}  // namespace

std::unique_ptr<ImageSource> synth_source(std::uint64_t seed, std::uint64_t first_identity,
                                          std::uint64_t identities, std::uint64_t images_per_identity) {
  return std::make_unique<SynthSource>(seed, first_identity, identities, images_per_identity);
}

}  // namespace facemae
