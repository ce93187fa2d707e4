#include "data/archives/tar_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr std::size_t kBlockBytes = 1 << 20;

bool all_zero(Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{}; });
}

class TarReader final : public ArchiveReader {
 public:
  explicit TarReader(std::unique_ptr<ArchiveFile> file)
      : file_(std::move(file)), block_(kBlockBytes), reader_(archive_read_new(), archive_read_free) {
    if (!reader_) throw Error("starting libarchive: out of memory");
    archive* a = reader_.get();
    archive_read_set_callback_data(a, this);
    archive_read_set_read_callback(a, [](archive* asking, void* self, const void** block) {
      return static_cast<TarReader*>(self)->give(asking, block);
    });
    archive_read_set_skip_callback(
        a, [](archive*, void* self, la_int64_t count) { return static_cast<TarReader*>(self)->skip(count); });
    archive_read_support_format_tar(a);
    archive_read_support_filter_gzip(a);
    archive_read_support_filter_bzip2(a);
    archive_read_support_filter_xz(a);
    archive_read_support_filter_zstd(a);
    archive_read_support_filter_lz4(a);
    if (archive_read_set_option(a, "tar", "read_concatenated_archives", "1") != ARCHIVE_OK) fail("opening");
    if (archive_read_open1(a) != ARCHIVE_OK) fail("opening");
    if (archive_filter_count(a) == 1) require_end();
  }

  bool next(Member& member) override {
    const int result = archive_read_next_header(reader_.get(), &entry_);
    file_->rethrow_failure();
    if (result == ARCHIVE_EOF) {
      require_nothing_behind();
      return false;
    }
    if (result == ARCHIVE_FATAL || result == ARCHIVE_FAILED || result == ARCHIVE_RETRY) fail("reading");
    // Names are bytes to us; of the two that libarchive has, one does not depend on the locale.
    const char* path = archive_entry_pathname_utf8(entry_);
    if (path == nullptr) path = archive_entry_pathname(entry_);
    if (path == nullptr)
      throw DataError(
          fmt::format("reading the tar archive {}: the name of member {} cannot be read; pack it again",
                      file_->path().string(), members_ + 1));
    ++members_;
    member.path = path;
    const auto type = archive_entry_filetype(entry_);
    member.folder = type == AE_IFDIR;
    member.reject.clear();
    member.refuse.clear();
    if (archive_entry_hardlink(entry_) != nullptr || type == AE_IFLNK) {
      member.reject = "a link in the archive, without bytes of its own";
    } else if (type != AE_IFREG && type != AE_IFDIR) {
      member.reject = "not a plain file in the archive";
    }
    return true;
  }

  std::string read(std::vector<std::byte>& bytes) override {
    constexpr std::size_t kStep = 64 << 10;
    bytes.clear();
    for (;;) {
      const std::size_t had = bytes.size();
      bytes.resize(had + kStep);
      const la_ssize_t got = archive_read_data(reader_.get(), bytes.data() + had, kStep);
      bytes.resize(had + static_cast<std::size_t>(std::max<la_ssize_t>(got, 0)));
      if (got <= 0) file_->rethrow_failure();
      if (got == 0) return "";
      if (got == ARCHIVE_FATAL) fail("reading");
      if (got < 0) return "damaged in the archive: " + reason();
      if (bytes.size() > kMostMemberBytes)
        return fmt::format("more than {} bytes in the archive: no image of a face", kMostMemberBytes);
    }
  }

 private:
  la_ssize_t give(archive* asking, const void** block) noexcept {
    const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(kBlockBytes, file_->size() - at_));
    if (!file_->try_read_at(at_, std::span(block_).first(bytes))) {
      archive_set_error(asking, EIO, "the storage failed");
      return ARCHIVE_FATAL;
    }
    at_ += bytes;
    *block = block_.data();
    return static_cast<la_ssize_t>(bytes);
  }
  la_int64_t skip(la_int64_t count) noexcept {
    const auto bytes =
        std::min(static_cast<std::uint64_t>(std::max<la_int64_t>(count, 0)), file_->size() - at_);
    at_ += bytes;
    return static_cast<la_int64_t>(bytes);
  }

  /// A compressed file knows where it ends. Without this check, a plain tar that was cut between two members
  /// would look whole.
  void require_end() {
    std::vector<std::byte> end(std::min<std::uint64_t>(file_->size(), 512));
    file_->read_at(file_->size() - end.size(), end);
    if (file_->size() < 1024 || !all_zero(end))
      throw DataError(fmt::format(
          "opening the tar archive {}: its {} bytes do not end with the zeros that end a tar: it is "
          "truncated, or something else follows it; fetch it again",
          file_->path().string(), file_->size()));
  }
  /// Decompression stops at the first bytes that are not compressed; zeros there pad a tape.
  void require_nothing_behind() {
    const auto read = static_cast<std::uint64_t>(archive_filter_bytes(reader_.get(), -1));
    std::vector<std::byte> rest(kBlockBytes);
    for (std::uint64_t at = read; at < file_->size(); at += rest.size()) {
      rest.resize(std::min<std::uint64_t>(rest.size(), file_->size() - at));
      file_->read_at(at, rest);
      if (!all_zero(rest))
        throw DataError(fmt::format(
            "reading the tar archive {}: the {} bytes from {} on are no part of it; fetch it again, or cut them off",
            file_->path().string(), file_->size() - read, read));
    }
  }
  std::string reason() const {
    const char* text = archive_error_string(reader_.get());
    return text == nullptr ? "unknown" : text;
  }
  [[noreturn]] void fail(const char* doing) const {
    file_->rethrow_failure();
    throw DataError(fmt::format(
        "{} the tar archive {}, after {} members: {}; it is truncated, damaged or of another kind; fetch it again",
        doing, file_->path().string(), members_, reason()));
  }

  std::unique_ptr<ArchiveFile> file_;
  std::vector<std::byte> block_;
  std::unique_ptr<archive, int (*)(archive*)> reader_;
  archive_entry* entry_ = nullptr;
  std::uint64_t at_ = 0, members_ = 0;
};

}  // namespace

std::unique_ptr<ArchiveReader> tar_reader(std::unique_ptr<ArchiveFile> file) {
  return std::make_unique<TarReader>(std::move(file));
}

}  // namespace facemae
