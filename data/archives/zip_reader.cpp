#include "data/archives/zip_reader.h"

#include <sys/stat.h>

#include "core/error.h"
#include "core/log.h"
#include "data/archives/zip_bytes.h"
#include "data/archives/zip_end.h"

namespace facemae {
namespace {

struct ZipError {
  ZipError() { zip_error_init(&error); }
  ~ZipError() { zip_error_fini(&error); }
  ZipError(const ZipError&) = delete;
  ZipError& operator=(const ZipError&) = delete;
  zip_error_t error;
};

const char* method_name(std::uint16_t method) {
  switch (method) {
    case ZIP_CM_DEFLATE64:
      return "Deflate64";
    case ZIP_CM_BZIP2:
      return "bzip2";
    case ZIP_CM_LZMA:
      return "LZMA";
    case 93:
      return "Zstandard";
    case ZIP_CM_XZ:
      return "xz";
    case ZIP_CM_PPMD:
      return "PPMd";
    default:
      return "an unusual method";
  }
}

class ZipReader final : public ArchiveReader {
 public:
  explicit ZipReader(std::unique_ptr<ArchiveFile> file)
      : file_(std::move(file)), bytes_(*file_), zip_(nullptr, zip_discard) {
    const std::vector<std::byte> tail = tail_until(file_->size());
    if (is_part_of_split_zip(tail))  // libzip's versions tell it in different ways, or as damage
      throw DataError(
          fmt::format("opening the zip archive {}: it is one part of a zip that was split; join its "
                      "parts first (zip -s 0 PARTS.zip --out WHOLE.zip)",
                      file_->path().string()));
    const std::uint64_t before = bytes_before_zip(tail, file_->size());
    // What lies before a zip is counted by some writers and not by others.
    if (before > 0 && open(before)) {
      if (ends_as_zip(tail_until(before)))
        throw DataError(fmt::format(
            "opening the zip archive {}: it is several zips one behind the other, of which the last begins at byte "
            "{}; give each as a file of its own",
            file_->path().string(), before));
    } else if (!open(0)) {
      fail();
    }
    members_ = static_cast<std::uint64_t>(zip_get_num_entries(zip_.get(), ZIP_FL_UNCHANGED));
  }

  bool next(Member& member) override {
    if (next_ == members_) return false;
    const std::uint64_t index = next_++;
    zip_stat_t stat;
    const char* name = zip_get_name(zip_.get(), index, ZIP_FL_ENC_RAW);
    if (name == nullptr || zip_stat_index(zip_.get(), index, ZIP_FL_UNCHANGED, &stat) != 0)
      throw DataError(fmt::format("reading the zip archive {}: member {}: {}; fetch it again",
                                  file_->path().string(), index + 1, zip_strerror(zip_.get())));
    member.path = name;
    member.folder = member.path.ends_with('/');
    member.reject = why_no_file(index);
    member.refuse.clear();
    if (stat.encryption_method != ZIP_EM_NONE) {
      member.refuse = "is encrypted; decrypt the archive first";
    } else if (zip_compression_method_supported(stat.comp_method, 0) == 0) {
      member.refuse = fmt::format(
          "is compressed by {} (method {}), which cannot be read; unpack the archive and zip it again by a "
          "usual method (zip -r NEW.zip FOLDER)",
          method_name(stat.comp_method), stat.comp_method);
    }
    return true;
  }

  std::string read(std::vector<std::byte>& bytes) override {
    constexpr std::size_t kStep = 64 << 10;
    bytes.clear();
    const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> member(zip_fopen_index(zip_.get(), next_ - 1, 0),
                                                                   zip_fclose);
    file_->rethrow_failure();
    if (!member) return fmt::format("damaged in the archive: {}", zip_strerror(zip_.get()));
    for (;;) {
      const std::size_t had = bytes.size();
      bytes.resize(had + kStep);
      const zip_int64_t got = zip_fread(member.get(), bytes.data() + had, kStep);
      bytes.resize(had + static_cast<std::size_t>(std::max<zip_int64_t>(got, 0)));
      file_->rethrow_failure();
      if (got == 0) return "";
      if (got < 0) return fmt::format("damaged in the archive: {}", zip_file_strerror(member.get()));
      if (bytes.size() > kMostMemberBytes)
        return fmt::format("more than {} bytes in the archive: no image of a face", kMostMemberBytes);
    }
  }

 private:
  /// The last kZipTailBytes before `end`.
  std::vector<std::byte> tail_until(std::uint64_t end) {
    std::vector<std::byte> tail(std::min(end, kZipTailBytes));
    file_->read_at(end - tail.size(), tail);
    return tail;
  }
  bool open(std::uint64_t before) {
    if (file_->size() == before) return fail_as(ZIP_ER_NOZIP);  // libzip takes no bytes for an empty zip
    zip_.reset(bytes_.open(before, failure_.error));
    file_->rethrow_failure();
    return zip_ != nullptr;
  }
  bool fail_as(int code) {
    zip_error_set(&failure_.error, code, 0);
    return false;
  }
  [[noreturn]] void fail() {
    const std::string what = fmt::format("opening the zip archive {}: {}", file_->path().string(),
                                         zip_error_strerror(&failure_.error));
    if (zip_error_code_zip(&failure_.error) == ZIP_ER_INCONS)
      throw DataError(what +
                      "; it is truncated or damaged, or a name in it that is flagged as UTF-8 is none; fetch "
                      "it again, or zip the images anew");
    throw DataError(what + "; it is truncated, damaged or of another kind; fetch it again");
  }
  /// Unix's type of file is in the upper half of the attributes, when Unix wrote them.
  std::string why_no_file(std::uint64_t index) {
    zip_uint8_t system = 0;
    zip_uint32_t attributes = 0;
    zip_file_get_external_attributes(zip_.get(), index, ZIP_FL_UNCHANGED, &system, &attributes);
    const bool has_mode = system == ZIP_OPSYS_UNIX || system == ZIP_OPSYS_OS_X;
    const mode_t type = has_mode ? (attributes >> 16) & S_IFMT : 0;
    if (type == S_IFLNK) return "a link in the archive, without bytes of its own";
    return type == 0 || type == S_IFREG || type == S_IFDIR ? "" : "not a plain file in the archive";
  }

  std::unique_ptr<ArchiveFile> file_;
  ZipBytes bytes_;
  ZipError failure_;
  std::unique_ptr<zip_t, void (*)(zip_t*)> zip_;
  std::uint64_t members_ = 0, next_ = 0;
};

}  // namespace

std::unique_ptr<ArchiveReader> zip_reader(std::unique_ptr<ArchiveFile> file) {
  return std::make_unique<ZipReader>(std::move(file));
}

}  // namespace facemae
