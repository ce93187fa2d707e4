#include "trainer/apply/pair_images.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"

namespace facemae {
namespace {

constexpr std::array kEndings = {".jpg", ".png", ".jpeg", ".JPG", ".PNG", ".JPEG"};

bool is_picture(const Path& path) {
  return std::find(kEndings.begin(), kEndings.end(), path.extension()) != kEndings.end();
}

bool is_there(const Path& path) {
  std::error_code fault;
  const auto status = std::filesystem::status(path, fault);
  if (fault && std::filesystem::exists(status) == false && status.type() == std::filesystem::file_type::none)
    throw FileError("looking for " + path.string() + ": " + fault.message(), fault.value());
  return std::filesystem::exists(status);
}

class Finder {
 public:
  Finder(const Path& folder, const Path& list) : folder_(folder), list_(list) {}

  /// Nothing when it is not there.
  std::optional<Path> find(const ListedImage& image) {
    return image.number ? find_numbered(image) : find_named(image.name);
  }

 private:
  std::optional<Path> find_named(std::string name) const {
    if (is_there(folder_ / name)) return folder_ / name;
    if (name.find('\\') != std::string::npos) {
      std::replace(name.begin(), name.end(), '\\', '/');
      if (is_there(folder_ / name)) return folder_ / name;
    }
    for (const auto* ending : kEndings) {
      Path other = folder_ / name;
      if (is_picture(other)) {
        other.replace_extension(ending);
      } else {
        other += ending;
      }
      if (is_there(other)) return other;
    }
    return {};
  }

  std::optional<Path> find_numbered(const ListedImage& image) {
    const Path person = folder_ / image.name;
    const Path usual = person / fmt::format("{}_{:04}.jpg", image.name, *image.number);
    if (is_there(usual)) return usual;
    const bool own_folder = is_there(person);
    const auto& files = numbered_in(own_folder ? person : folder_);
    const auto [begin, end] = files.equal_range(*image.number);
    std::vector<Path> found, others;
    for (auto at = begin; at != end; ++at)
      (at->second.first == image.name + "_" ? found : others).push_back(at->second.second);
    if (found.empty() && own_folder) found = std::move(others);
    if (found.empty()) return {};
    std::sort(found.begin(), found.end());
    if (found.size() > 1)
      throw ConfigError(fmt::format(
          "line {} of {} names image {} of {}, which may be {} or {}: leave one of them there", image.line,
          list_.string(), *image.number, image.name, found[0].string(), found[1].string()));
    return found[0];
  }

  /// Pictures of a folder whose names end in a number: what stands before it, and the file.
  using Numbered = std::multimap<std::uint64_t, std::pair<std::string, Path>>;
  const Numbered& numbered_in(const Path& folder) {
    const auto [at, fresh] = folders_.try_emplace(folder.string());
    if (!fresh) return at->second;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      const std::string stem = entry.path().stem();
      const auto digits = stem.find_last_not_of("0123456789") + 1;  // npos + 1 is 0
      std::uint64_t number = 0;
      const auto [end, fault] = std::from_chars(stem.data() + digits, stem.data() + stem.size(), number);
      if (is_picture(entry.path()) && fault == std::errc{})
        at->second.emplace(number, std::pair(stem.substr(0, digits), entry.path()));
    }
    return at->second;
  }

  Path folder_, list_;
  std::map<std::string, Numbered> folders_;
};

}  // namespace

std::vector<Path> files_of(const ListedPairs& pairs, const Path& folder, const Path& list) {
  if (!std::filesystem::is_directory(folder))
    throw ConfigError(folder.string() + ", whose files " + list.string() + " is to name, is not a folder");
  constexpr std::size_t told = 5;
  Finder finder(folder, list);
  std::vector<Path> files;
  std::vector<std::string> missing;
  std::size_t lost = 0;
  for (const auto& image : pairs.images) {
    if (auto file = finder.find(image)) {
      files.push_back(std::move(*file));
    } else if (++lost <= told) {
      missing.push_back(
          image.number ? fmt::format("{0}/{0}_{1:04}.jpg (line {2})", image.name, *image.number, image.line)
                       : fmt::format("{} (line {})", image.name, image.line));
    }
  }
  if (lost > 0)
    throw ConfigError(fmt::format("{} of the {} images that {} names are not below {}: {}{}", lost,
                                  pairs.images.size(), list.string(), folder.string(), join(missing, ", "),
                                  lost > told ? fmt::format(" and {} more", lost - told) : ""));
  return files;
}

}  // namespace facemae
