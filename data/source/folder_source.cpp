// folder_source() of data/source/source.h: ROOT/<identity>/<image>.
#include <algorithm>
#include <span>

#include "core/error.h"
#include "core/log.h"
#include "data/formats/member_name.h"
#include "data/source/catalogue.h"
#include "data/source/source.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;

class FolderSource final : public ImageSource {
 public:
  explicit FolderSource(const std::vector<Path>& roots) : roots_(roots) {
    if (roots.empty()) throw ConfigError("packing a folder: no folder was given (--in ROOT)");
    std::vector<std::string> names;
    for (std::uint32_t part = 0; part < roots.size(); ++part) {
      names.push_back(roots[part].string());
      try {
        add_root(part);
      } catch (const fs::filesystem_error& error) {
        throw FileError(fmt::format("listing the images in {}: {}", names.back(), error.what()),
                        error.code().value());
      }
    }
    std::sort(empty_.begin(), empty_.end());
    if (!empty_.empty())
      throw DataError(fmt::format(
          "{} identity folders hold no .jpg, .jpeg or .png: {}; remove them or put images in", empty_.size(),
          fmt::join(std::span(empty_).first(std::min<std::size_t>(5, empty_.size())), ", ")));
    catalogue_.sort(names);
    if (catalogue_.size() == 0)
      throw ConfigError(
          fmt::format("no identity folders in {}: expected ROOT/<identity>/<image>.jpg", names.front()));
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
    if (!fs::is_directory(root)) throw ConfigError("packing a folder: " + root.string() + " is not a folder");
    for (const auto& identity : fs::directory_iterator(root)) {
      if (!identity.is_directory()) continue;
      const std::string name = identity.path().filename().string();
      std::size_t found = 0;
      for (const auto& file : fs::directory_iterator(identity.path())) {
        const std::string image = file.path().filename().string();
        if (!is_image_name(image) || file.is_directory()) continue;
        ++found;
        catalogue_.add(name, image, part);
      }
      if (found == 0) empty_.push_back(identity.path().string());
    }
  }

  std::vector<Path> roots_;
  Catalogue catalogue_;
  std::vector<std::string> empty_;
};

}  // namespace

std::unique_ptr<ImageSource> folder_source(const std::vector<Path>& roots) {
  return std::make_unique<FolderSource>(roots);
}

}  // namespace facemae
