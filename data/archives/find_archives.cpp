#include "data/archives/find_archives.h"

#include <algorithm>
#include <set>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "data/formats/file_names.h"

namespace facemae {
namespace {

namespace fs = std::filesystem;

bool has_archive_name(std::string name, ArchiveKind kind) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto ends = [&](std::string_view ending) { return name.ends_with(ending); };
  if (kind == ArchiveKind::Zip) return ends(".zip");
  return ends(".tar") || ends(".tgz") || ends(".tar.gz") || ends(".tbz2") || ends(".tar.bz2") ||
         ends(".txz") || ends(".tar.xz") || ends(".tar.zst") || ends(".tar.lz4");
}

class Finding {
 public:
  explicit Finding(ArchiveKind kind) : kind_(kind) {}

  void add_given(const Path& path) {
    try {
      const fs::file_status status = fs::status(path);
      if (status.type() == fs::file_type::not_found)
        throw ConfigError(
            fmt::format("packing {} archives: {} does not exist", name_of(kind_), path.string()));
      fs::is_directory(status) ? add_folder(path) : add(path, status);
    } catch (const fs::filesystem_error& failure) {
      throw FileError(
          fmt::format("looking for {} archives in {}: {}", name_of(kind_), path.string(), failure.what()),
          failure.code().value());
    }
  }

  std::vector<Path> finish() {
    if (twice_ > 0)
      spdlog::info(
          "{} archive(s) or folders of them are reached in several ways (the first: {}) and count once",
          twice_, first_twice_.string());
    if (hidden_ > 0)
      spdlog::info("{} hidden file(s) or folders among the archives (the first: {}) are left out", hidden_,
                   first_hidden_.string());
    if (!archives_.empty())
      spdlog::info("{} {} archive(s), {}", human_count(archives_.size()), name_of(kind_),
                   human_bytes(bytes_));
    return std::move(archives_);
  }

 private:
  void add_folder(const Path& folder) {
    const std::size_t before = archives_.size();
    const std::uint64_t twice_before = twice_;
    add_below(folder);
    if (archives_.size() == before && twice_ == twice_before)
      throw ConfigError(
          fmt::format("packing {} archives: the folder {} holds none", name_of(kind_), folder.string()));
    std::sort(archives_.begin() + static_cast<std::ptrdiff_t>(before), archives_.end());
  }
  void add_below(const Path& folder) {
    if (is_seen(folder)) return;
    std::vector<fs::directory_entry> entries(fs::directory_iterator(folder), {});
    std::sort(entries.begin(),
              entries.end());  // which way to an archive comes first is the same on every host
    for (const auto& entry : entries) {
      const std::string name = entry.path().filename().string();
      std::error_code in_circles;  // a link that leads there is told below if it is called an archive
      const fs::file_status status = entry.status(in_circles);
      const bool is_folder = fs::is_directory(status);
      if (!is_folder && !has_archive_name(name, kind_)) continue;
      if (is_hidden_name(name) || is_system_name(name)) {
        if (hidden_++ == 0) first_hidden_ = entry.path();
      } else if (is_folder) {
        add_below(entry.path());
      } else {
        add(entry.path(), fs::status(entry.path()));
      }
    }
  }
  void add(const Path& path, const fs::file_status& status) {
    if (!fs::is_regular_file(status))
      throw ConfigError(fmt::format("packing {} archives: {} is {}; remove it, or put the archive there",
                                    name_of(kind_), path.string(),
                                    fs::exists(status) ? "no plain file" : "a link to nothing"));
    if (is_seen(path)) return;
    bytes_ += fs::file_size(path);
    archives_.push_back(path);
  }
  bool is_seen(const Path& path) {
    if (seen_.insert(fs::canonical(path).string()).second) return false;
    if (twice_++ == 0) first_twice_ = path;
    return true;
  }

  ArchiveKind kind_;
  std::vector<Path> archives_;
  std::set<std::string> seen_;  ///< archives and folders, by the path without links
  std::uint64_t bytes_ = 0, twice_ = 0, hidden_ = 0;
  Path first_twice_, first_hidden_;
};

}  // namespace

std::vector<Path> find_archives(const std::vector<Path>& given, ArchiveKind kind) {
  Finding finding(kind);
  for (const Path& path : given) finding.add_given(path);
  return finding.finish();
}

}  // namespace facemae
