// Zip and tar archives of faces (data/archives/archive.h), whole: names, members and bytes. An input is 'z' or 't' and
// the archive. The code of libarchive and libzip is not compiled for
// the fuzzer.
#include <archive.h>
#include <archive_entry.h>

#include <functional>

#include "data/archives/webdataset.h"
#include "data/formats/member_name.h"
#include "data/source/source.h"
#include "tests/fuzz/target.h"

namespace facemae::fuzz {
namespace {

std::string tar_of(const std::vector<std::string>& paths) {
  std::string bytes;
  TarWriter writer(
      [&](Bytes piece) { bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size()); });
  const std::string content = "no picture";
  for (const auto& path : paths) writer.add(path, bytes_of(content));
  writer.finish();
  return bytes;
}

/// Of a flat WebDataset.
std::string samples() {
  std::string bytes;
  TarWriter writer(
      [&](Bytes piece) { bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size()); });
  const std::pair<const char*, std::string> members[] = {
      {"0.jpg", "no picture"}, {"0.cls", "10"}, {"1.json", R"({"label": 2})"}, {"1.left.png", "none"}};
  for (const auto& [path, content] : members) writer.add(path, bytes_of(content));
  writer.finish();
  return bytes;
}

std::string written_by_libarchive(int (*format)(archive*), int (*filter)(archive*),
                                  const std::vector<std::string>& paths) {
  const std::unique_ptr<archive, int (*)(archive*)> writer(archive_write_new(), archive_write_free);
  std::string bytes(1 << 16, '\0');
  std::size_t used = 0;
  const std::string content(300, 'x');
  format(writer.get());
  filter(writer.get());
  archive_write_open_memory(writer.get(), bytes.data(), bytes.size(), &used);
  for (const auto& path : paths) {
    const std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry(archive_entry_new(),
                                                                         archive_entry_free);
    archive_entry_set_pathname(entry.get(), path.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
    archive_write_header(writer.get(), entry.get());
    archive_write_data(writer.get(), content.data(), content.size());
  }
  archive_write_close(writer.get());
  bytes.resize(used);
  return bytes;
}

/// No part of an accepted name leads anywhere but down.
void require_inside(const std::string& name) {
  const Path path(name);
  require(path.is_relative(), "a name is relative");
  for (const auto& part : path) require(part != "..", "a name does not climb");
  require(name.find('\\') == name.npos && name.find('\0') == name.npos, "a name is one everywhere");
}

}  // namespace

// Compressed members may unfold to ArchiveReader::kMostMemberBytes, in a vector that doubles.
std::size_t justified_allocation(std::size_t) { return 130 << 20; }

void parse(std::string_view input) {
  static InputPath file;
  const bool zip = !input.empty() && input[0] == 'z';
  const Path& path = file.holding(input.substr(std::min<std::size_t>(1, input.size())));
  const auto source = zip ? zip_source({path}, false) : tar_source({path}, false);
  for (std::uint64_t entry = 0; entry < source->size(); ++entry) require_inside(source->name(entry));
  source->stream(0, [&](ImageSource::Streamed image) {
    require(image.entry < source->size(), "an image of an archive is in its catalogue");
  });
}

std::vector<std::string> seeds() {
  const std::vector<std::string> paths{"set/ann/1.jpg", "set/ann/2.PNG", "set/readme.txt", "bob/1.jpeg"};
  const std::string folders =
      tar_of({"ann/1.jpg", "ann/2.png", "notes", "bob/" + std::string(120, 'b') + ".jpg"});
  return {
      "t" + folders,
      "t" + folders + tar_of({"carl/1.jpg"}),
      "t" + samples(),
      "t" + written_by_libarchive(archive_write_set_format_pax, archive_write_add_filter_none, paths),
      "t" + written_by_libarchive(archive_write_set_format_ustar, archive_write_add_filter_gzip, paths),
      "z" + written_by_libarchive(archive_write_set_format_zip, archive_write_add_filter_none, paths),
      "zprogram" + written_by_libarchive(archive_write_set_format_zip, archive_write_add_filter_none, paths)};
}

}  // namespace facemae::fuzz
