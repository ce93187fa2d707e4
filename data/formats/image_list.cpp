#include "data/formats/image_list.h"

#include <string>
#include <vector>

#include "core/error.h"
#include "core/files/table_row.h"
#include "core/log.h"
#include "data/formats/file_names.h"
#include "data/formats/list_columns.h"

namespace facemae {
namespace {

constexpr std::string_view kBlanks = " \t";

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  return first == text.npos ? std::string_view()
                            : text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

class ListReader {
 public:
  ListReader(TextLines& lines, const TakeListed& take) : lines_(lines), take_(take) {}

  std::string read() {
    for (std::string_view line; lines_.next(line);) {
      const std::string_view content = trimmed(line);
      if (content.empty() || content.front() == '#') continue;
      if (separator_ == 0 && content.size() == 5 && content.starts_with("sep=")) {  // Excel's
        separator_ = content.back();
        continue;
      }
      if (separator_ == 0) separator_ = separator_of(content);
      split(line, content);
      if (columns_.count > 0 || !begin()) row();
    }
    return columns_.note;
  }

 private:
  void split(std::string_view line, std::string_view content) {
    if (separator_ == '?')
      throw DataError(fmt::format(
          "{}: \"{}\" could be parted by its commas or by its semicolons; put fields that hold one into quotes "
          "(\"), or begin the list with a header, \"path;label\" or \"path,label\"",
          lines_.place(), content.substr(0, 80)));
    if (separator_ != ' ' || content.front() == '"' || content.back() == '"')
      return split_row(lines_, line, separator_, fields_);
    const auto cut = content.find_last_of(content.find('\t') == content.npos ? " " : "\t");
    fields_ = {std::string(trimmed(content.substr(0, cut)))};
    if (cut != content.npos) fields_.emplace_back(trimmed(content.substr(cut + 1)));
  }

  /// Of the first row: is it a header?
  bool begin() {
    const std::string place = lines_.place();
    if (auto columns = columns_of_header(fields_, place)) {
      columns_ = std::move(*columns);
      has_header_ = true;
    } else {
      drop_empty_fields_beyond(2);
      if (fields_.size() == 2) expect_no_label_in(fields_[0]);
      columns_ = columns_of_first_row(fields_, separator_ == '\t', place);
    }
    return has_header_;
  }

  void row() {
    drop_empty_fields_beyond(columns_.count);
    if (fields_.size() != columns_.count)
      refuse(fmt::format("{} field(s) where {} has {}; fields that hold a separator belong into quotes (\")",
                         fields_.size(), has_header_ ? "the header" : "the first row", columns_.count));
    const std::string& path = fields_[columns_.path];
    const std::string& label = fields_[columns_.label];
    if (path.empty() || label.empty()) refuse(path.empty() ? "it has no path" : "it has no label");
    if (!has_header_ && !has_picture_ending(path)) {  // the fields themselves must say what they are
      if (has_picture_ending(label)) refuse("the image is behind the label, unlike in the first row");
      expect_no_label_in(path);
    }
    if (!has_header_ && columns_.count == 17 && fields_[0] == "0")
      refuse(
          "the image is not aligned yet (0 in InsightFace's first column); give its points by --landmarks: the "
          "last ten columns are x of five points, then y of them");
    take_(path, label);
  }

  void drop_empty_fields_beyond(std::size_t count) {
    while (fields_.size() > count && fields_.back().empty()) fields_.pop_back();
  }
  void expect_no_label_in(const std::string& path) const {
    for (auto blank = path.find(' '); blank != path.npos; blank = path.find(' ', blank + 1))
      if (has_picture_ending(std::string_view(path).substr(0, blank)) && !has_picture_ending(path))
        refuse("the path \"" + path +
               "\" seems to hold a part of the label; part the fields by tabs, or by commas " +
               "with quotes (\") around fields that hold one");
  }
  [[noreturn]] void refuse(const std::string& why) const {
    std::string shown;
    for (const auto& field : fields_) shown += (shown.empty() ? "" : " | ") + field;
    throw DataError(fmt::format("{}: {}; the row is \"{}\"", lines_.place(), why, shown.substr(0, 120)));
  }

  TextLines& lines_;
  const TakeListed& take_;
  std::vector<std::string> fields_;
  ListColumns columns_{.count = 0};
  char separator_ = 0;  ///< 0: not known yet
  bool has_header_ = false;
};

}  // namespace

std::string read_image_list(TextLines& lines, const TakeListed& take) {
  return ListReader(lines, take).read();
}

}  // namespace facemae
