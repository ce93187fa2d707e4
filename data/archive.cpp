#include "data/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <span>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr std::size_t kBlockBytes = 1 << 20;
const char* name_of(ArchiveKind kind) { return kind == ArchiveKind::Zip ? "zip" : "tar"; }

bool has_archive_name(const Path& path, ArchiveKind kind) {
  const std::string name = path.filename().string();
  const auto ends = [&](std::string_view ending) { return name.ends_with(ending); };
  if (kind == ArchiveKind::Zip) return ends(".zip");
  return ends(".tar") || ends(".tgz") || ends(".tar.gz") || ends(".tar.bz2") || ends(".tar.xz") ||
         ends(".tar.zst") || ends(".tar.lz4");
}

}  // namespace

struct ArchiveReader::State {
  State(const Path& p, ArchiveKind k, InputFiles& inputs)
      : path(p),
        kind(k),
        file(inputs.open(p)),
        bytes(std::filesystem::file_size(p)),
        block(kBlockBytes),
        reader(archive_read_new(), archive_read_free) {
    if (!reader) throw Error("starting libarchive: out of memory");
    archive* a = reader.get();
    archive_read_set_callback_data(a, this);
    archive_read_set_read_callback(a, on_read);
    archive_read_set_skip_callback(a, on_skip);
    archive_read_set_seek_callback(a, on_seek);
    if (kind == ArchiveKind::Zip) {
      archive_read_support_format_zip_seekable(a);  // by the directory at the end: a truncated zip has none
    } else {
      archive_read_support_format_tar(a);
      archive_read_support_filter_gzip(a);
      archive_read_support_filter_bzip2(a);
      archive_read_support_filter_xz(a);
      archive_read_support_filter_zstd(a);
      archive_read_support_filter_lz4(a);
    }
  }

  // libarchive is given the bytes by us, because of its own reading only a text is left of what failed: a
  // disk that does not answer would look like an archive that is cut off.
  static la_ssize_t on_read(archive* a, void* self, const void** out) {
    auto& s = *static_cast<State*>(self);
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(s.block.size(), s.bytes - s.at));
    if (n == 0) return 0;  // the end
    try {
      s.file->read_at(s.at, std::span(s.block).first(n));
    } catch (const FileError& error) {
      s.broken = std::current_exception();
      archive_set_error(a, error.code(), "%s", error.what());
      return -1;
    }
    s.at += n;
    *out = s.block.data();
    return static_cast<la_ssize_t>(n);
  }
  static la_int64_t on_skip(archive*, void* self, la_int64_t request) {
    auto& s = *static_cast<State*>(self);
    const std::uint64_t n =
        std::min(static_cast<std::uint64_t>(std::max<la_int64_t>(request, 0)), s.bytes - s.at);
    s.at += n;
    return static_cast<la_int64_t>(n);
  }
  static la_int64_t on_seek(archive*, void* self, la_int64_t offset, int whence) {
    auto& s = *static_cast<State*>(self);
    const auto from = whence == SEEK_SET ? 0 : static_cast<la_int64_t>(whence == SEEK_CUR ? s.at : s.bytes);
    const la_int64_t to = std::clamp<la_int64_t>(from + offset, 0, static_cast<la_int64_t>(s.bytes));
    s.at = static_cast<std::uint64_t>(to);
    return to;
  }
  /// A read that failed is the reason of whatever libarchive says after it.
  void rethrow_broken() const {
    if (broken) std::rethrow_exception(broken);
  }

  [[noreturn]] void fail(const std::string& doing) const {
    rethrow_broken();
    const char* reason = archive_error_string(reader.get());
    throw DataError(
        fmt::format("{} the {} archive {}: {}; it is truncated, damaged or of another kind: fetch it "
                    "again",
                    doing, name_of(kind), path.string(), reason == nullptr ? "unknown" : reason));
  }

  Path path;
  ArchiveKind kind;
  std::unique_ptr<ReadableFile> file;
  std::uint64_t bytes, at = 0;
  std::vector<std::byte> block;
  std::exception_ptr broken;
  std::unique_ptr<archive, int (*)(archive*)> reader;
  archive_entry* entry = nullptr;
};

ArchiveReader::~ArchiveReader() = default;
ArchiveReader::ArchiveReader(ArchiveReader&&) noexcept = default;

ArchiveReader::ArchiveReader(const Path& path, ArchiveKind kind, InputFiles& inputs)
    : state_(std::make_unique<State>(path, kind, inputs)) {
  const std::uint64_t bytes = state_->bytes;
  if (archive_read_open1(state_->reader.get()) != ARCHIVE_OK) state_->fail("opening");
  if (kind == ArchiveKind::Zip || archive_filter_count(state_->reader.get()) > 1) return;
  // A compressed file knows where it ends. A plain tar that was cut between two members looks whole without
  // this.
  std::vector<std::byte> end(std::min<std::uint64_t>(bytes, 512));
  state_->file->read_at(bytes - end.size(), end);
  if (bytes < 1024 || std::any_of(end.begin(), end.end(), [](std::byte b) { return b != std::byte{}; }))
    throw DataError(
        fmt::format("opening the tar archive {}: the zeros that end a tar are missing after {} bytes: it "
                    "is truncated; fetch it again",
                    path.string(), bytes));
}

bool ArchiveReader::next(Member& member) {
  archive* a = state_->reader.get();
  const int result = archive_read_next_header(a, &state_->entry);
  if (result == ARCHIVE_EOF) return false;
  if (result == ARCHIVE_FATAL || result == ARCHIVE_FAILED || result == ARCHIVE_RETRY) state_->fail("reading");
  archive_entry* entry = state_->entry;
  if (archive_entry_is_encrypted(entry) != 0)
    throw DataError(fmt::format("the {} archive {} is encrypted; decrypt it first", name_of(state_->kind),
                                state_->path.string()));
  // Names are bytes to us; which of the two libarchive has does not depend on the locale for one of them.
  const char* path = archive_entry_pathname_utf8(entry);
  if (path == nullptr) path = archive_entry_pathname(entry);
  if (path == nullptr)
    throw DataError(fmt::format("reading the {} archive {}: a member has a name that cannot be read",
                                name_of(state_->kind), state_->path.string()));
  member.path = path;
  const auto type = archive_entry_filetype(entry);
  member.folder = type == AE_IFDIR;
  member.reject.clear();
  if (archive_entry_hardlink(entry) != nullptr || type == AE_IFLNK) {
    member.reject = "a link in the archive, without bytes of its own";
  } else if (type != AE_IFREG && type != AE_IFDIR) {
    member.reject = "not a plain file in the archive";
  }
  return true;
}

std::string ArchiveReader::read(std::vector<std::byte>& bytes) {
  constexpr std::size_t kStep = 64 << 10;
  archive* a = state_->reader.get();
  bytes.clear();
  for (;;) {
    const std::size_t had = bytes.size();
    bytes.resize(had + kStep);
    const la_ssize_t got = archive_read_data(a, bytes.data() + had, kStep);
    bytes.resize(had + static_cast<std::size_t>(std::max<la_ssize_t>(got, 0)));
    if (got == 0) return "";
    if (got < 0) state_->rethrow_broken();
    if (got == ARCHIVE_FATAL) state_->fail("reading");
    if (got < 0) {
      const char* reason = archive_error_string(a);
      return fmt::format("damaged in the archive: {}", reason == nullptr ? "unknown" : reason);
    }
    if (bytes.size() > kMostMemberBytes)
      return fmt::format("more than {} bytes in the archive: no image of a face", kMostMemberBytes);
  }
}

std::vector<Path> find_archives(const std::vector<Path>& given, ArchiveKind kind) {
  namespace fs = std::filesystem;
  std::vector<Path> archives;
  for (const Path& path : given) {
    std::error_code error;
    if (!fs::exists(path, error))
      throw ConfigError(fmt::format("packing {} archives: {} does not exist", name_of(kind), path.string()));
    if (!fs::is_directory(path)) {
      archives.push_back(path);
      continue;
    }
    std::vector<Path> below;
    try {
      for (const auto& file : fs::recursive_directory_iterator(path))
        if (!file.is_directory() && has_archive_name(file.path(), kind)) below.push_back(file.path());
    } catch (const fs::filesystem_error& failure) {
      throw FileError(fmt::format("listing the archives in {}: {}", path.string(), failure.what()),
                      failure.code().value());
    }
    if (below.empty())
      throw ConfigError(
          fmt::format("packing {} archives: the folder {} holds none", name_of(kind), path.string()));
    std::sort(below.begin(), below.end());
    archives.insert(archives.end(), below.begin(), below.end());
  }
  return archives;
}

}  // namespace facemae
