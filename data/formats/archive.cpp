#include "data/formats/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <span>

#include "core/error.h"
#include "core/files/patience.h"
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

/// libarchive reads through this instead of by itself, because it would call failing storage
/// a damaged archive.
class ArchiveBytes {
 public:
  ArchiveBytes(const Path& path, InputFiles& inputs, const ReadPolicy& patience)
      : path_(path),
        inputs_(inputs),
        patience_(patience),
        size_(InputFile(path).size()),
        block_(kBlockBytes) {}

  void give_to(archive* reader) {
    archive_read_set_callback_data(reader, this);
    archive_read_set_read_callback(reader, [](archive* asking, void* bytes, const void** block) {
      return static_cast<ArchiveBytes*>(bytes)->next(asking, block);
    });
    archive_read_set_skip_callback(reader, [](archive*, void* bytes, la_int64_t count) {
      return static_cast<ArchiveBytes*>(bytes)->skip(count);
    });
    archive_read_set_seek_callback(reader, [](archive*, void* bytes, la_int64_t offset, int whence) {
      return static_cast<ArchiveBytes*>(bytes)->seek(offset, whence);
    });
  }
  std::uint64_t size() const { return size_; }
  void read_at(std::uint64_t offset, std::span<std::byte> out) {
    patiently(patience_, "reading " + path_.string(), [&] {
      try {
        if (!file_) file_ = inputs_.open(path_);
        file_->read_at(offset, out);
      } catch (const FileError&) {
        file_ = nullptr;  // a file that was moved, replaced or unmounted needs a new descriptor
        throw;
      }
    });
  }
  /// Throws what really went wrong when libarchive was told that reading failed.
  void rethrow_failure() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  la_ssize_t next(archive* asking, const void** block) noexcept {
    try {
      const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(kBlockBytes, size_ - at_));
      read_at(at_, std::span(block_).first(bytes));
      at_ += bytes;
      *block = block_.data();
      return static_cast<la_ssize_t>(bytes);
    } catch (const std::exception& error) {
      failure_ = std::current_exception();
      archive_set_error(asking, EIO, "%s", error.what());
      return ARCHIVE_FATAL;
    }
  }
  la_int64_t skip(la_int64_t count) noexcept {
    const auto bytes = std::min(static_cast<std::uint64_t>(std::max<la_int64_t>(count, 0)), size_ - at_);
    at_ += bytes;
    return static_cast<la_int64_t>(bytes);
  }
  la_int64_t seek(la_int64_t offset, int whence) noexcept {
    const auto end = static_cast<la_int64_t>(size_);
    const la_int64_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? static_cast<la_int64_t>(at_) : end;
    at_ = static_cast<std::uint64_t>(std::clamp<la_int64_t>(from + offset, 0, end));
    return static_cast<la_int64_t>(at_);
  }

  Path path_;
  InputFiles& inputs_;
  ReadPolicy patience_;
  std::uint64_t size_, at_ = 0;
  std::unique_ptr<ReadableFile> file_;
  std::vector<std::byte> block_;
  std::exception_ptr failure_;
};

struct ArchiveReader::State {
  State(const Path& p, ArchiveKind k, InputFiles& inputs, const ReadPolicy& patience)
      : path(p), kind(k), bytes(p, inputs, patience), reader(archive_read_new(), archive_read_free) {
    if (!reader) throw Error("starting libarchive: out of memory");
    bytes.give_to(reader.get());
    archive* a = reader.get();
    if (kind == ArchiveKind::Zip) {
      archive_read_support_format_zip_seekable(a);  // by the directory at its end: a truncated zip has none
    } else {
      archive_read_support_format_tar(a);
      archive_read_support_filter_gzip(a);
      archive_read_support_filter_bzip2(a);
      archive_read_support_filter_xz(a);
      archive_read_support_filter_zstd(a);
      archive_read_support_filter_lz4(a);
    }
  }

  [[noreturn]] void fail(const std::string& doing) const {
    bytes.rethrow_failure();
    const char* reason = archive_error_string(reader.get());
    throw DataError(
        fmt::format("{} the {} archive {}: {}; it is truncated, damaged or of another kind; fetch it again",
                    doing, name_of(kind), path.string(), reason == nullptr ? "unknown" : reason));
  }

  Path path;
  ArchiveKind kind;
  ArchiveBytes bytes;
  std::unique_ptr<archive, int (*)(archive*)> reader;
  archive_entry* entry = nullptr;
};

ArchiveReader::~ArchiveReader() = default;
ArchiveReader::ArchiveReader(ArchiveReader&&) noexcept = default;

ArchiveReader::ArchiveReader(const Path& path, ArchiveKind kind, InputFiles& inputs,
                             const ReadPolicy& patience)
    : state_(std::make_unique<State>(path, kind, inputs, patience)) {
  const std::uint64_t bytes = state_->bytes.size();
  if (archive_read_open1(state_->reader.get()) != ARCHIVE_OK) state_->fail("opening");
  if (kind == ArchiveKind::Zip || archive_filter_count(state_->reader.get()) > 1) return;
  // A compressed file knows where it ends. Without this check, a plain tar that was cut between two members
  // would look whole.
  std::vector<std::byte> end(std::min<std::uint64_t>(bytes, 512));
  state_->bytes.read_at(bytes - end.size(), end);
  if (bytes < 1024 || std::any_of(end.begin(), end.end(), [](std::byte b) { return b != std::byte{}; }))
    throw DataError(fmt::format(
        "opening the tar archive {}: the zeros that end a tar are missing after {} bytes: it is truncated; "
        "fetch it again",
        path.string(), bytes));
}

bool ArchiveReader::next(Member& member) {
  archive* a = state_->reader.get();
  const int result = archive_read_next_header(a, &state_->entry);
  state_->bytes.rethrow_failure();
  if (result == ARCHIVE_EOF) return false;
  if (result == ARCHIVE_FATAL || result == ARCHIVE_FAILED || result == ARCHIVE_RETRY) state_->fail("reading");
  archive_entry* entry = state_->entry;
  if (archive_entry_is_encrypted(entry) != 0)
    throw DataError(fmt::format("the {} archive {} is encrypted; decrypt it first", name_of(state_->kind),
                                state_->path.string()));
  // Names are bytes to us; of the two that libarchive has, one does not depend on the locale.
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
    if (got <= 0) state_->bytes.rethrow_failure();
    if (got == 0) return "";
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
    if (!fs::exists(path, error)) {
      if (error) throw FileError("looking for " + path.string() + ": " + error.message(), error.value());
      throw ConfigError(fmt::format("packing {} archives: {} does not exist", name_of(kind), path.string()));
    }
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
