// zip_source() and tar_source() of data/source/source.h: images named <identity>/<image> in archives.
#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/text.h"
#include "data/formats/archive.h"
#include "data/formats/member_name.h"
#include "data/formats/zip_directory.h"
#include "data/source/catalogue.h"
#include "data/source/source.h"

namespace facemae {
namespace {

class ArchiveSource final : public ImageSource {
 public:
  ArchiveSource(const std::vector<Path>& given, ArchiveKind kind, bool show_progress)
      : kind_(kind), archives_(find_archives(given, kind)), images_(archives_.size()) {
    if (archives_.empty()) throw ConfigError("packing archives: none was given (--in ARCHIVE...)");
    Progress progress("listing", archives_.size(), "archives", show_progress);
    for (std::size_t i = 0; i < archives_.size(); ++i) {
      list(i);
      progress.advance();
    }
    progress.finish();
    std::vector<std::string> names;
    for (const Path& archive : archives_) names.push_back(archive.string());
    catalogue_.sort(names);
    if (ignored_ > 0)
      spdlog::info("{} member(s) of the archives are not images (the first: {}) and are left out",
                   human_count(ignored_), first_ignored_);
    if (catalogue_.size() == 0)
      throw ConfigError(
          fmt::format("no images in {}{}: expected members <identity>/<image>.jpg, .jpeg or .png",
                      names.front(), names.size() > 1 ? " and the others" : ""));
  }

  const std::vector<std::string>& identity_names() const override { return catalogue_.identity_names(); }
  std::uint64_t size() const override { return catalogue_.size(); }
  std::int64_t label(std::uint64_t entry) const override { return catalogue_.label(entry); }
  std::string name(std::uint64_t entry) const override { return catalogue_.name(entry); }
  std::size_t archives() const override { return archives_.size(); }
  std::vector<std::byte> read(std::uint64_t) const override {
    throw Error("archives are streamed, not read at random");
  }

  void stream(std::size_t number, const std::function<void(Streamed)>& take) const override {
    ArchiveReader reader(archives_.at(number), kind_);
    std::uint64_t found = 0;
    for (Member member; reader.next(member);) {
      const auto image = member.folder ? std::nullopt : image_of_member(member.path);
      if (!image) continue;
      const auto entry = catalogue_.find(image->identity, image->image);
      if (!entry || catalogue_.part(*entry) != number) refuse_change(number);
      Streamed streamed{*entry, {}, member.reject};
      if (streamed.reject.empty()) streamed.reject = reader.read(streamed.bytes);
      if (!streamed.reject.empty()) streamed.bytes.clear();
      ++found;
      take(std::move(streamed));
    }
    if (found != images_[number]) refuse_change(number);
  }

 private:
  void list(std::size_t number) {
    try {
      kind_ == ArchiveKind::Zip ? list_zip(number) : list_tar(number);
    } catch (const DataError& error) {
      throw DataError(archives_[number].string() + ": " + error.what());
    }
  }
  /// By the directory alone: libarchive would visit every image.
  void list_zip(std::size_t number) {
    const InputFile file(archives_[number]);
    const std::uint64_t bytes = file.size();
    std::vector<std::byte> buffer(std::min(bytes, kZipTailBytes));
    file.read_at(bytes - buffer.size(), buffer);
    const ZipEnd end = find_zip_end(buffer, bytes);
    buffer.resize(end.directory_bytes);
    file.read_at(end.directory_offset, buffer);
    parse_zip_directory(buffer, end.members, [&](const ZipMember& member) {
      if (member.encrypted) throw DataError("the archive is encrypted; decrypt it first");
      list_member(number, member.path);
    });
  }
  void list_tar(std::size_t number) {
    ArchiveReader reader(archives_[number], kind_);
    for (Member member; reader.next(member);)
      if (!member.folder) list_member(number, member.path);
  }
  void list_member(std::size_t number, std::string_view path) {
    if (const auto image = image_of_member(path)) {
      catalogue_.add(image->identity, image->image, static_cast<std::uint32_t>(number));
      ++images_[number];
    } else if (!path.ends_with('/') && ignored_++ == 0) {
      first_ignored_ = archives_[number].string() + ": " + std::string(path);
    }
  }
  [[noreturn]] void refuse_change(std::size_t number) const {
    throw DataError(
        fmt::format("{} has changed since it was listed: start again", archives_[number].string()));
  }

  ArchiveKind kind_;
  std::vector<Path> archives_;
  std::vector<std::uint64_t> images_;  ///< of each archive
  Catalogue catalogue_;
  std::uint64_t ignored_ = 0;
  std::string first_ignored_;
};

}  // namespace

std::unique_ptr<ImageSource> zip_source(const std::vector<Path>& archives, bool show_progress) {
  return std::make_unique<ArchiveSource>(archives, ArchiveKind::Zip, show_progress);
}
std::unique_ptr<ImageSource> tar_source(const std::vector<Path>& archives, bool show_progress) {
  return std::make_unique<ArchiveSource>(archives, ArchiveKind::Tar, show_progress);
}

}  // namespace facemae
