// folder_source() of data/source/source.h: ROOT/<identity>/<image>.
#include <algorithm>
#include <span>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "data/formats/image_walk.h"
#include "data/source/catalogue.h"
#include "data/source/source.h"

namespace facemae {
namespace {

class FolderSource final : public ImageSource {
 public:
  FolderSource(const std::vector<Path>& roots, const FolderRules& rules) : roots_(roots), rules_(rules) {
    if (roots.empty()) throw ConfigError("packing a folder: no folder was given (--in ROOT)");
    std::vector<std::string> names;
    for (std::uint32_t part = 0; part < roots.size(); ++part) {
      names.push_back(roots[part].string());
      add_root(part);
    }
    const std::string left_out = left_out_.empty() ? "" : "; left out: " + left_out_.summary();
    if (!empty_.empty()) tell_empty(left_out);
    catalogue_.sort(names);
    if (catalogue_.size() == 0)
      throw ConfigError(fmt::format("no identity folders in {}: expected ROOT/<identity>/<image>.jpg{}",
                                    names.front(), left_out));
    left_out_.tell();
  }

  const std::vector<std::string>& identity_names() const override { return catalogue_.identity_names(); }
  std::uint64_t size() const override { return catalogue_.size(); }
  std::int64_t label(std::uint64_t entry) const override { return catalogue_.label(entry); }
  std::string name(std::uint64_t entry) const override { return catalogue_.name(entry); }
  std::vector<std::byte> read(std::uint64_t entry) const override {
    return read_bytes(roots_[catalogue_.part(entry)] / catalogue_.name(entry));
  }

 private:
  void add_root(std::uint32_t part) {
    const Path& root = roots_[part];
    std::string identity;  // the folder of the root that is walked
    std::uint64_t found = 0;
    const auto close = [&] {
      if (!identity.empty() && found == 0) empty_.push_back((root / identity).string());
      found = 0;
    };
    walk_images(root, left_out_,
                {.folder =
                     [&](const std::string& folder) {
                       if (folder.find('/') != folder.npos) return;
                       close();
                       identity = folder;
                     },
                 .image = [&](const std::string& image) { found += add_image(image, part) ? 1 : 0; }});
    close();
  }

  /// Is it one of the set?
  bool add_image(const std::string& path, std::uint32_t part) {
    const auto slash = path.find('/');
    const std::string seen = (roots_[part] / path).string();
    if (slash == path.npos) {
      left_out_.add("image(s) in no identity's folder", seen, LeftOut::Loss::Pictures);
      return false;
    }
    if (!rules_.nested && path.find('/', slash + 1) != path.npos) {
      left_out_.add(
          "image(s) below an identity's folder; --nested takes them as its images, --in that folder as identities",
          seen, LeftOut::Loss::Pictures);
      return false;
    }
    catalogue_.add(std::string_view(path).substr(0, slash), std::string_view(path).substr(slash + 1), part);
    return true;
  }

  void tell_empty(const std::string& left_out) {
    std::sort(empty_.begin(), empty_.end());
    const auto named = std::span(empty_).first(std::min<std::size_t>(5, empty_.size()));
    const std::string told = fmt::format("{} identity folder(s) hold no images: {}",
                                         human_count(empty_.size()), fmt::join(named, ", "));
    if (!rules_.skip_empty)
      throw DataError(told +
                      "; put .jpg, .jpeg or .png into them, remove them, or pass them over by --skip-empty" +
                      left_out);
    spdlog::warn("{}: passed over", told);
  }

  std::vector<Path> roots_;
  FolderRules rules_;
  Catalogue catalogue_;
  LeftOut left_out_;
  std::vector<std::string> empty_;
};

}  // namespace

std::unique_ptr<ImageSource> folder_source(const std::vector<Path>& roots, const FolderRules& rules) {
  return std::make_unique<FolderSource>(roots, rules);
}

}  // namespace facemae
