#pragma once
// Archives with any member names, written by libarchive, for the tests of sources.

#include <archive.h>
#include <archive_entry.h>

#include <string>
#include <vector>

#include "core/error.h"
#include "core/files/files.h"

namespace facemae::test_archives {

struct Member {
  std::string path, content;
  mode_t type = AE_IFREG;
};

/// kind: zip, store (an uncompressed zip), encrypted, tar, tar.gz, tar.zst, tar.xz, tar.bz2, tar.lz4.
inline void write_archive(const Path& path, const std::string& kind, const std::vector<Member>& members) {
  std::filesystem::create_directories(path.parent_path());
  archive* a = archive_write_new();
  const auto check = [&](int result) {
    if (result != ARCHIVE_OK) throw Error(std::string("writing a test archive: ") + archive_error_string(a));
  };
  const bool tar = kind.starts_with("tar");
  check(tar ? archive_write_set_format_pax_restricted(a) : archive_write_set_format_zip(a));
  if (tar) check(archive_write_set_options(a, "hdrcharset=BINARY"));
  if (kind == "store") check(archive_write_zip_set_compression_store(a));
  if (kind == "encrypted") {
    check(archive_write_set_options(a, "zip:encryption=traditional"));
    check(archive_write_set_passphrase(a, "secret"));
  }
  if (kind == "tar.gz") check(archive_write_add_filter_gzip(a));
  if (kind == "tar.zst") check(archive_write_add_filter_zstd(a));
  if (kind == "tar.xz") check(archive_write_add_filter_xz(a));
  if (kind == "tar.bz2") check(archive_write_add_filter_bzip2(a));
  if (kind == "tar.lz4") check(archive_write_add_filter_lz4(a));
  check(archive_write_open_filename(a, path.c_str()));
  for (const Member& member : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_copy_pathname(entry, member.path.c_str());
    archive_entry_set_filetype(entry, member.type);
    archive_entry_set_perm(entry, 0644);
    if (member.type == AE_IFLNK) archive_entry_copy_symlink(entry, member.content.c_str());
    archive_entry_set_size(entry,
                           member.type == AE_IFREG ? static_cast<la_int64_t>(member.content.size()) : 0);
    check(archive_write_header(a, entry));
    if (member.type == AE_IFREG) archive_write_data(a, member.content.data(), member.content.size());
    archive_entry_free(entry);
  }
  check(archive_write_close(a));
  archive_write_free(a);
}

}  // namespace facemae::test_archives
