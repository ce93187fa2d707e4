// zip_source() and tar_source() of data/source/source.h: images named <identity>/<image> in archives, and samples of
// WebDataset tars.
#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/text.h"
#include "data/formats/archive.h"
#include "data/formats/find_archives.h"
#include "data/formats/member_name.h"
#include "data/source/catalogue.h"
#include "data/source/sample_classes.h"
#include "data/source/source.h"

namespace facemae {
namespace {

class ArchiveSource final : public ImageSource {
 public:
  ArchiveSource(const std::vector<Path>& given, ArchiveKind kind, bool show_progress)
      : kind_(kind), archives_(find_archives(given, kind)) {
    if (archives_.empty()) throw ConfigError("packing archives: none was given (--in ARCHIVE...)");
    Progress progress("listing", archives_.size(), "archives", show_progress);
    SampleClasses classes;
    for (std::size_t i = 0; i < archives_.size(); ++i) {
      list(i, classes);
      progress.advance();
    }
    progress.finish();
    if (classes.needed()) name_by_class(classes);
    std::vector<std::string> names;
    for (const Path& archive : archives_) names.push_back(archive.string());
    catalogue_.sort(names);
    if (ignored_ > 0)
      spdlog::info("{} member(s) of the archives are no images, or hidden (the first: {}), and are left out",
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
    const auto reader = open_archive(archives_.at(number), kind_);
    std::uint64_t image = first_[number];
    for (Member member; reader->next(member);) {
      const std::string path = member.folder ? "" : member_path(member.path);
      const auto name = image_of_member(path);
      if (!name) continue;
      const auto entry = image < end_of(number) ? entry_of(image++, number, *name, path) : std::nullopt;
      if (!entry || catalogue_.part(*entry) != number) refuse_change(number);
      Streamed streamed{*entry, {}, member.reject};
      if (streamed.reject.empty()) streamed.reject = reader->read(streamed.bytes);
      if (!streamed.reject.empty()) streamed.bytes.clear();
      take(std::move(streamed));
    }
    if (image != end_of(number)) refuse_change(number);
  }

 private:
  void list(std::size_t number, SampleClasses& classes) {
    first_.push_back(catalogue_.size());
    const auto reader = open_archive(archives_[number], kind_);
    std::vector<std::byte> label;
    for (Member member; reader->next(member);) {
      const std::string path = member.folder ? "" : path_in(number, member.path);
      if (const auto image = image_of_member(path)) {
        if (!member.refuse.empty()) refuse(number, path, member.refuse);
        if (image->identity.empty() && kind_ == ArchiveKind::Zip) refuse(number, path, kNoFolder);
        catalogue_.add(image->identity, image->image, static_cast<std::uint32_t>(number));
        if (kind_ == ArchiveKind::Tar) classes.add_image(path);
      } else if (kind_ == ArchiveKind::Tar && SampleClasses::is_label(path)) {
        if (member.reject.empty() && reader->read(label).empty()) classes.add_label(path, label);
      } else if (!member.folder && ignored_++ == 0) {
        first_ignored_ = archives_[number].string() + ": " + member.path;
      }
    }
    classes.end_archive();
  }
  std::string path_in(std::size_t number, const std::string& member) const {
    try {
      return member_path(member);
    } catch (const DataError& error) {
      throw DataError(archives_[number].string() + ": " + error.what());
    }
  }

  /// Gives the images the names <class>/<tar>/<path in it>: keys need only differ within a tar.
  void name_by_class(const SampleClasses& classes) {
    class_names_ = classes.names();
    if (const auto image = classes.first_without())
      refuse(catalogue_.part(*image), classes.path_of(*image, catalogue_.image(*image)),
             classes.folder_of(*image).empty()
                 ? kNoFolder + std::string(", and no .cls or .json of its name holds a class number")
                 : "has no .cls or .json of its name that holds a class number, which is needed because its "
                   "folder is no identity: folders hold images of several classes, or images lie in none");
    Catalogue named;
    class_of_.resize(catalogue_.size());
    for (std::uint64_t image = 0; image < class_of_.size(); ++image) {
      class_of_[image] = classes.class_of(image);
      const std::uint32_t part = catalogue_.part(image);
      named.add(class_names_[class_of_[image]],
                sample_name(part, classes.path_of(image, catalogue_.image(image))), part);
    }
    catalogue_ = std::move(named);
    spdlog::info("the tars are WebDataset's: the .cls or .json of each image says whose it is");
  }
  std::string sample_name(std::size_t number, const std::string& path) const {
    return archives_[number].filename().string() + "/" + path;
  }

  /// Of an image as it was listed: the number among all of them, its archive and its names there.
  std::optional<std::uint64_t> entry_of(std::uint64_t image, std::size_t number, const MemberImage& name,
                                        const std::string& path) const {
    if (class_of_.empty()) return catalogue_.find(name.identity, name.image);
    return catalogue_.find(class_names_[class_of_[image]], sample_name(number, path));
  }
  std::uint64_t end_of(std::size_t number) const {
    return number + 1 < first_.size() ? first_[number + 1] : catalogue_.size();
  }

  [[noreturn]] void refuse(std::size_t number, const std::string& path, const std::string& why) const {
    throw DataError(fmt::format("{}: the image \"{}\" {}", archives_[number].string(), path, why));
  }
  [[noreturn]] void refuse_change(std::size_t number) const {
    throw DataError(
        fmt::format("{} has changed since it was listed: start again", archives_[number].string()));
  }
  static constexpr const char* kNoFolder =
      "lies in no folder, so its identity is unknown; expected <identity>/<image>.jpg";

  ArchiveKind kind_;
  std::vector<Path> archives_;
  std::vector<std::uint64_t> first_;  ///< image of each archive, as they were listed
  Catalogue catalogue_;
  std::vector<std::string> class_names_;
  std::vector<std::uint32_t>
      class_of_;  ///< of the images as they were listed, when classes are the identities
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
