// folder_source() of data/source.h: ROOT/<identity>/<image>.
#include <algorithm>
#include <cctype>
#include <map>

#include "core/error.h"
#include "core/log.h"
#include "data/source.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;

bool is_image_name(const Path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

class FolderSource final : public ImageSource {
 public:
  explicit FolderSource(const std::vector<Path>& roots) {
    if (roots.empty()) throw ConfigError("packing a folder: no folder was given (--in ROOT)");
    std::map<std::string, std::map<std::string, Path>>
        images;  // identity -> file name -> path: sorted by bytes
    for (const Path& root : roots) {
      try {
        add_root(root, images);
      } catch (const fs::filesystem_error& error) {
        throw FileError(fmt::format("listing the images in {}: {}", root.string(), error.what()),
                        error.code().value());
      }
    }
    if (!empty_.empty())
      throw DataError(fmt::format(
          "{} identity folders hold no .jpg, .jpeg or .png: {}; remove them or put images in", empty_.size(),
          fmt::join(std::span(empty_).first(std::min<std::size_t>(5, empty_.size())), ", ")));
    if (images.empty())
      throw ConfigError(fmt::format("no identity folders in {}: expected ROOT/<identity>/<image>.jpg",
                                    roots.front().string()));
    for (auto& [identity, files] : images) {
      for (auto& [name, path] : files) {
        entries_.push_back({static_cast<std::int64_t>(names_.size()), identity + "/" + name});
        paths_.push_back(std::move(path));
      }
      names_.push_back(identity);
    }
  }

  const std::vector<std::string>& identity_names() const override { return names_; }
  std::uint64_t size() const override { return entries_.size(); }
  std::int64_t label(std::uint64_t entry) const override { return entries_.at(entry).label; }
  std::string name(std::uint64_t entry) const override { return entries_.at(entry).name; }
  std::vector<std::byte> read(std::uint64_t entry) const override {
    const InputFile file(paths_.at(entry));
    std::vector<std::byte> bytes(file.size());
    file.read_at(0, bytes);
    return bytes;
  }

 private:
  struct Entry {
    std::int64_t label;
    std::string name;
  };
  void add_root(const Path& root, std::map<std::string, std::map<std::string, Path>>& images) {
    if (!fs::is_directory(root)) throw ConfigError("packing a folder: " + root.string() + " is not a folder");
    for (const auto& identity : fs::directory_iterator(root)) {
      if (!identity.is_directory()) continue;
      const std::string name = identity.path().filename().string();
      std::size_t found = 0;
      for (const auto& file : fs::directory_iterator(identity.path())) {
        if (!is_image_name(file.path()) || file.is_directory()) continue;
        ++found;
        const auto [at, fresh] = images[name].emplace(file.path().filename().string(), file.path());
        if (!fresh)
          throw DataError(
              fmt::format("two images of identity {} have one name: {} and {}; folders given together are "
                          "one set, so rename one of them",
                          name, at->second.string(), file.path().string()));
      }
      if (found == 0) empty_.push_back(identity.path().string());
    }
    std::sort(empty_.begin(), empty_.end());
  }

  std::vector<std::string> names_, empty_;
  std::vector<Entry> entries_;
  std::vector<Path> paths_;
};

}  // namespace

std::unique_ptr<ImageSource> folder_source(const std::vector<Path>& roots) {
  return std::make_unique<FolderSource>(roots);
}

}  // namespace facemae
