// list_source() of data/source/source.h: text lines of a path and a label.
#include <algorithm>

#include "core/error.h"
#include "core/log.h"
#include "core/text.h"
#include "data/source/catalogue.h"
#include "data/source/source.h"

namespace facemae {
namespace {

/// Calls take(path, label) for each line. The label is what follows the last comma, if the first line has
/// one, else the last blank or tab.
template <class Take>
void for_each_line(const Path& list, const std::string& text, Take&& take) {
  const std::string blanks = text.substr(0, text.find('\n')).find(',') != text.npos ? "," : " \t";
  std::uint64_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    ++number;
    const std::string_view raw = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), raw.size() + 1));
    const std::string line = trim(raw);
    if (line.empty() || line.front() == '#' || (number == 1 && line == "path,label")) continue;
    const auto cut = line.find_last_of(blanks);
    const std::string path = trim(line.substr(0, cut)),
                      label = cut == line.npos ? "" : trim(line.substr(cut + 1));
    if (path.empty() || label.empty() || line.find('\0') != line.npos)
      throw DataError(fmt::format("{}, line {}: expected \"path label\" or \"path,label\", found \"{}\"",
                                  list.string(), number, line.substr(0, 80)));
    take(path, label);
  }
}

bool is_number(const std::string& label) {
  return label.size() <= 18 &&
         std::all_of(label.begin(), label.end(), [](char c) { return c >= '0' && c <= '9'; });
}

class ListSource final : public ImageSource {
 public:
  ListSource(const std::vector<Path>& lists, const Path& root) {
    if (lists.empty()) throw ConfigError("packing a list: none was given (--in LIST)");
    std::vector<std::string> names, texts;
    bool numbers = true;
    std::size_t width = 1;
    for (const Path& list : lists) {
      if (!std::filesystem::exists(list) || std::filesystem::is_directory(list))
        throw ConfigError("packing a list: " + list.string() + " is not a file");
      names.push_back(list.string());
      texts.push_back(read_file(list));
      roots_.push_back(root.empty() ? list.parent_path() : root);
      for_each_line(list, texts.back(), [&](const std::string&, const std::string& label) {
        numbers = numbers && is_number(label);
        if (numbers) width = std::max(width, std::to_string(std::stoull(label)).size());
      });
    }
    for (std::uint32_t part = 0; part < lists.size(); ++part)
      for_each_line(lists[part], texts[part], [&](const std::string& path, const std::string& label) {
        catalogue_.add(numbers ? fmt::format("{:0{}}", std::stoull(label), width) : label, path, part);
      });
    catalogue_.sort(names);
    if (catalogue_.size() == 0) throw ConfigError("packing a list: no images in " + names.front());
  }

  const std::vector<std::string>& identity_names() const override { return catalogue_.identity_names(); }
  std::uint64_t size() const override { return catalogue_.size(); }
  std::int64_t label(std::uint64_t entry) const override { return catalogue_.label(entry); }
  std::string name(std::uint64_t entry) const override { return catalogue_.name(entry); }
  std::vector<std::byte> read(std::uint64_t entry) const override {
    return read_bytes(roots_[catalogue_.part(entry)] / catalogue_.image(entry));
  }

 private:
  std::vector<Path> roots_;  ///< of each list
  Catalogue catalogue_;
};

}  // namespace

std::unique_ptr<ImageSource> list_source(const std::vector<Path>& lists, const Path& root) {
  return std::make_unique<ListSource>(lists, root);
}

}  // namespace facemae
