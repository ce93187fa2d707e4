// list_source() of data/source/source.h: texts of paths and labels.
#include <algorithm>
#include <charconv>
#include <optional>

#include "core/error.h"
#include "core/files/text_lines.h"
#include "core/log.h"
#include "core/text.h"
#include "data/formats/image_list.h"
#include "data/source/catalogued_source.h"
#include "data/source/source_kind.h"

namespace facemae {
namespace {

/// The class number that a label writes: digits, maybe with ".000" behind them, as im2rec and pandas do.
std::optional<std::uint64_t> class_number(std::string_view label) {
  const auto digits = label.substr(0, label.find('.'));
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.size() > 18 || fault != std::errc() || end != digits.data() + digits.size() ||
      (digits.size() < label.size() && label.find_first_not_of('0', digits.size() + 1) != label.npos))
    return {};
  return number;
}

/// Decides, over all lists, whether labels are numbers.
class Labels {
 public:
  void add(std::string_view label, const TextLines& lines) {
    if (const auto number = class_number(label)) {
      width_ = std::max(width_, std::to_string(*number).size());
      if (!any_number_) first_number_ = lines.place();
      any_number_ = true;
    } else if (label.starts_with('-') && class_number(label.substr(1))) {
      throw DataError(
          fmt::format("{}: the label is {}; images without identity have no place in a list: leave them out",
                      lines.place(), label));
    } else if (!any_name_) {
      any_name_ = true;
      first_name_ = fmt::format("\"{}\" ({})", label, lines.place());
    }
  }
  void tell() const {
    if (any_number_ && any_name_)
      spdlog::warn(
          "labels are numbers ({} for one) but also names, {} for one: all are taken as names, in the order of "
          "texts",
          first_number_, first_name_);
  }
  /// What an identity is called: numbers get equal widths, so that their order is that of names.
  std::string name(std::string_view label, const TextLines& lines) const {
    if (any_name_) return std::string(label);
    const auto number = class_number(label);
    const std::string digits = std::to_string(number.value_or(0));
    if (!number || digits.size() > width_)
      throw DataError(lines.place() + " has changed while the list was read: start again");
    return std::string(width_ - digits.size(), '0') + digits;
  }

 private:
  bool any_number_ = false, any_name_ = false;
  std::size_t width_ = 1;
  std::string first_number_, first_name_;
};

/// Where the relative paths of a list begin. A pipe lies in no folder of images: there it is the working folder.
Path root_of_list(const Path& list) {
  const std::string name = list.string();  // a stream may be a file (< list)
  const bool stream = name == "/dev/stdin" || name.starts_with("/dev/fd/") || name.starts_with("/proc/");
  return stream || !std::filesystem::is_regular_file(list) ? Path() : list.parent_path();
}

/// A list, which is read twice: one that is no plain file is kept in memory.
class List {
 public:
  explicit List(const Path& path) : path_(path), plain_(std::filesystem::is_regular_file(path)) {
    if (!plain_) text_ = read_text(path);
  }
  /// Returns what read_image_list() does.
  std::string read(const std::function<void(const TextLines&, std::string_view path, std::string_view label)>&
                       take) const {
    TextLines lines = plain_ ? TextLines(path_) : TextLines(text_, path_.string());
    return read_image_list(lines, [&](auto path, auto label) { take(lines, path, label); });
  }

 private:
  Path path_;
  bool plain_;
  std::string text_;
};

class ListSource final : public CataloguedSource {
 public:
  ListSource(Catalogue catalogue, const Path& root) : CataloguedSource(std::move(catalogue)) {
    for (const ListedPart& list : parts()) roots_.push_back(root.empty() ? root_of_list(list.path) : root);
  }
  std::vector<std::byte> read(std::uint64_t entry) const override {
    return read_bytes(roots_[catalogue_.part(entry)] / catalogue_.image(entry));
  }

 private:
  std::vector<Path> roots_;  ///< of each list
};

}  // namespace

void list_lists(const SourcePlaces& places, CatalogueWriter& catalogue) {
  if (places.in.empty()) throw ConfigError("packing a list: none was given (--in LIST)");
  std::vector<List> lists;
  Labels labels;
  for (const Path& path : places.in) {
    if (!std::filesystem::exists(path) || std::filesystem::is_directory(path))
      throw ConfigError("packing a list: " + path.string() + " is not a file");
    lists.emplace_back(path);
    const auto add = [&](const TextLines& lines, auto, auto label) { labels.add(label, lines); };
    if (const auto note = lists.back().read(add); !note.empty()) spdlog::info("{}: {}", path.string(), note);
  }
  labels.tell();
  for (std::uint32_t part = 0; part < lists.size(); ++part)
    lists[part].read([&](const TextLines& lines, auto image, auto label) {
      catalogue.add(labels.name(label, lines), image, part);
    });
  if (catalogue.size() == 0)
    throw ConfigError("packing a list: no images in " + places.in.front().string() +
                      ", which has no line behind a header");
}

std::unique_ptr<ImageSource> open_lists(const SourcePlaces& places, Catalogue catalogue) {
  return std::make_unique<ListSource>(std::move(catalogue), places.root);
}

}  // namespace facemae
