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
      : seed_(seed), first_(first), identities_(identities), images_(images) {
    if (identities == 0 || images == 0)
      throw ConfigError(
          "packing synthetic faces: at least one identity and one image per identity are needed");
  }
  std::uint64_t identities() const override { return identities_; }
  std::string identity_name(std::uint64_t label) const override { return synth_name(first_ + label); }
  std::uint64_t size() const override { return identities_ * images_; }
  std::int64_t label(std::uint64_t entry) const override {
    return static_cast<std::int64_t>(entry / images_);
  }
  std::string name(std::uint64_t entry) const override {
    return synth_name(first_ + entry / images_) + "/" + std::to_string(entry % images_) + ".jpg";
  }
  std::vector<std::byte> read(std::uint64_t entry) const override {
    return encode_jpeg(render_face(seed_, first_ + entry / images_, entry % images_), 95);
  }

 private:
  std::uint64_t seed_, first_, identities_, images_;
};

}  // namespace

std::unique_ptr<ImageSource> synth_source(std::uint64_t seed, std::uint64_t first_identity,
                                          std::uint64_t identities, std::uint64_t images_per_identity) {
  return std::make_unique<SynthSource>(seed, first_identity, identities, images_per_identity);
}

}  // namespace facemae
