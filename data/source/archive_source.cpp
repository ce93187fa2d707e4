// zip_source() and tar_source() of data/source/source.h: images named <identity>/<image> in archives, or of the class
// that the sample of a WebDataset says.
#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "core/progress.h"
#include "core/text.h"
#include "data/archives/archive.h"
#include "data/archives/find_archives.h"
#include "data/formats/member_name.h"
#include "data/source/catalogued_source.h"
#include "data/source/sample_classes.h"
#include "data/source/source_kind.h"

namespace facemae {
namespace {

constexpr const char* kNoFolder =
    "lies in no folder, so its identity is unknown; expected <identity>/<image>.jpg";

/// Calls image(path, member, reader) and label(path, member, reader) for what may be an image of the set or the class
/// of a sample, and other(member) for the rest. `path`: a member_path().
template <class Image, class Label, class Other>
void for_each_member(const Path& archive, ArchiveKind kind, Image&& image, Label&& label, Other&& other) {
  const auto reader = open_archive(archive, kind);
  for (Member member; reader->next(member);) {
    if (member.folder) continue;
    std::string path;
    try {
      path = member_path(member.path);
    } catch (const DataError& error) {
      throw DataError(archive.string() + ": " + error.what());
    }
    if (image_of_member(path)) {
      image(path, member, *reader);
    } else if (kind == ArchiveKind::Tar && SampleClasses::is_label(path)) {
      label(path, member, *reader);
    } else {
      other(member);
    }
  }
}

void add_label(SampleClasses& classes, const std::string& path, const Member& member, ArchiveReader& reader) {
  std::vector<std::byte> label;
  if (member.reject.empty() && reader.read(label).empty()) classes.add_label(path, label);
}

[[noreturn]] void refuse(const Path& archive, const std::string& path, const std::string& why) {
  throw DataError(fmt::format("{}: the image \"{}\" {}", archive.string(), path, why));
}

/// The images of one WebDataset tar, in its order.
struct Samples {
  std::vector<std::string> paths;
  SampleClasses classes;
};
Samples samples_of(const Path& archive) {
  Samples samples;
  for_each_member(
      archive, ArchiveKind::Tar,
      [&](const std::string& path, const Member&, ArchiveReader&) {
        samples.paths.push_back(path);
        samples.classes.add_image(path);
      },
      [&](const std::string& path, const Member& member, ArchiveReader& reader) {
        add_label(samples.classes, path, member, reader);
      },
      [](const Member&) {});
  samples.classes.end_archive();
  return samples;
}
/// Image names when classes are the identities: keys need only differ within a tar.
std::string sample_name(const Path& archive, const std::string& path) {
  return archive.filename().string() + "/" + path;
}
/// Catalogue::place() of an image: 0 when its folder is its identity; when that is the class of its sample, one more
/// than the `width` of SampleClasses::names().
std::uint64_t place_of_class(std::size_t width) { return width + 1; }

class ArchiveSource final : public CataloguedSource {
 public:
  ArchiveSource(Catalogue catalogue, ArchiveKind kind)
      : CataloguedSource(std::move(catalogue)), kind_(kind), by_class_(catalogue_.place(0)) {}
  std::size_t archives() const override { return parts().size(); }
  std::vector<std::byte> read(std::uint64_t) const override {
    throw Error("archives are streamed, not read at random");
  }

  void stream(std::size_t number, const std::function<void(Streamed)>& take) const override {
    const Path& archive = parts().at(number).path;
    Samples samples;
    std::vector<std::string> names;
    if (by_class_ != 0) {
      samples = samples_of(archive);
      if (samples.classes.first_without()) refuse_change(archive);
      names = samples.classes.names(by_class_ - 1);
    }
    std::uint64_t found = 0;
    for_each_member(
        archive, kind_,
        [&](const std::string& path, const Member& member, ArchiveReader& reader) {
          std::optional<std::uint64_t> entry;
          if (by_class_ == 0) {
            const auto image = image_of_member(path);
            entry = catalogue_.find(image->identity, image->image);
          } else if (found < samples.paths.size()) {
            entry = catalogue_.find(names[samples.classes.class_of(found)], sample_name(archive, path));
          }
          if (!entry || catalogue_.part(*entry) != number) refuse_change(archive);
          Streamed streamed{*entry, {}, member.reject};
          if (streamed.reject.empty()) streamed.reject = reader.read(streamed.bytes);
          if (!streamed.reject.empty()) streamed.bytes.clear();
          ++found;
          take(std::move(streamed));
        },
        [](const std::string&, const Member&, ArchiveReader&) {}, [](const Member&) {});
    if (found != parts()[number].images) refuse_change(archive);
  }

 private:
  [[noreturn]] static void refuse_change(const Path& archive) {
    throw DataError(archive.string() + " has changed since it was listed: start again");
  }

  ArchiveKind kind_;
  std::uint64_t by_class_;  ///< place of every image
};

/// Lists all archives, first with their folders as identities. When those turn out not to be, the tars are those of a
/// WebDataset, and are listed anew.
class ArchiveLister {
 public:
  ArchiveLister(CatalogueWriter& catalogue, ArchiveKind kind, bool show_progress)
      : catalogue_(catalogue), kind_(kind), show_progress_(show_progress) {}

  void list() {
    for_each_archive("listing", [&](std::uint32_t number) { list_folders_of(number); });
    if (by_class_) {
      catalogue_.start_over();
      for_each_archive("listing samples", [&](std::uint32_t number) { list_samples_of(number); });
      spdlog::info("the tars are WebDataset's: the .cls or .json of each image says whose it is");
    } else if (!scattered_.empty()) {
      spdlog::warn(
          "a class of the .cls or .json members lies in several folders ({}): the folders are taken for the "
          "identities; if the classes are, pack the tars again without folders",
          scattered_);
    }
    if (ignored_ > 0)
      spdlog::info("{} member(s) of the archives are no images, or hidden (the first: {}), and are left out",
                   human_count(ignored_), first_ignored_);
  }

 private:
  const Path& path(std::uint32_t number) const { return catalogue_.parts()[number].path; }

  template <class Each>
  void for_each_archive(const std::string& what, Each&& each) {
    const auto archives = static_cast<std::uint32_t>(catalogue_.parts().size());
    Progress progress(what, archives, "archives", show_progress_);
    for (std::uint32_t number = 0; number < archives; ++number) {
      each(number);
      progress.advance();
    }
    progress.finish();
  }

  void list_folders_of(std::uint32_t number) {
    SampleClasses classes;  // of this archive, as no sample lies in two
    for_each_member(
        path(number), kind_,
        [&](const std::string& image, const Member& member, ArchiveReader&) {
          const auto name = image_of_member(image);
          if (!member.refuse.empty()) refuse(path(number), image, member.refuse);
          if (name->identity.empty() && kind_ == ArchiveKind::Zip) refuse(path(number), image, kNoFolder);
          catalogue_.add(name->identity, name->image, number);
          if (kind_ == ArchiveKind::Tar) classes.add_image(image);
        },
        [&](const std::string& label, const Member& member, ArchiveReader& reader) {
          add_label(classes, label, member, reader);
        },
        [&](const Member& member) {
          if (ignored_++ == 0) first_ignored_ = path(number).string() + ": " + member.path;
        });
    classes.end_archive();
    by_class_ = by_class_ || classes.needed();
    if (scattered_.empty()) scattered_ = classes.scattered();
    numbers_ = numbers_ && classes.width() > 0;
    width_ = std::max(width_, classes.width());
  }

  void list_samples_of(std::uint32_t number) {
    const Samples samples = samples_of(path(number));
    if (const auto image = samples.classes.first_without())
      refuse(path(number), samples.paths[*image],
             samples.paths[*image].find('/') == std::string::npos
                 ? kNoFolder + std::string(", and no .cls or .json of its name holds a class number")
                 : "has no .cls or .json of its name that holds a class number, which is needed because its "
                   "folder is no identity: folders hold images of several classes, or images lie in none");
    const std::size_t width = numbers_ ? width_ : 0;
    const auto names = samples.classes.names(width);
    for (std::uint64_t image = 0; image < samples.paths.size(); ++image)
      catalogue_.add(names[samples.classes.class_of(image)], sample_name(path(number), samples.paths[image]),
                     number, place_of_class(width));
  }

  CatalogueWriter& catalogue_;
  ArchiveKind kind_;
  bool show_progress_;
  bool by_class_ = false, numbers_ = true;  ///< are classes the identities, and all of them numbers?
  std::size_t width_ = 0;                   ///< of the largest one
  std::uint64_t ignored_ = 0;
  std::string first_ignored_, scattered_;
};

void list_archives(const SourcePlaces& places, CatalogueWriter& catalogue, ArchiveKind kind) {
  if (catalogue.parts().empty()) throw ConfigError("packing archives: none was given (--in ARCHIVE...)");
  ArchiveLister(catalogue, kind, places.show_progress).list();
  if (catalogue.size() == 0)
    throw ConfigError(fmt::format("no images in {}{}: expected members <identity>/<image>.jpg, .jpeg or .png",
                                  catalogue.parts().front().path.string(),
                                  catalogue.parts().size() > 1 ? " and the others" : ""));
}

}  // namespace

std::vector<Path> find_zips(const SourcePlaces& places) { return find_archives(places.in, ArchiveKind::Zip); }
void list_zips(const SourcePlaces& places, CatalogueWriter& catalogue) {
  list_archives(places, catalogue, ArchiveKind::Zip);
}
std::unique_ptr<ImageSource> open_zips(const SourcePlaces&, Catalogue catalogue) {
  return std::make_unique<ArchiveSource>(std::move(catalogue), ArchiveKind::Zip);
}

std::vector<Path> find_tars(const SourcePlaces& places) { return find_archives(places.in, ArchiveKind::Tar); }
void list_tars(const SourcePlaces& places, CatalogueWriter& catalogue) {
  list_archives(places, catalogue, ArchiveKind::Tar);
}
std::unique_ptr<ImageSource> open_tars(const SourcePlaces&, Catalogue catalogue) {
  return std::make_unique<ArchiveSource>(std::move(catalogue), ArchiveKind::Tar);
}

}  // namespace facemae
