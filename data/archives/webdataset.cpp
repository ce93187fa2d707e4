#include "data/archives/webdataset.h"

#include <archive.h>
#include <archive_entry.h>

#include <exception>
#include <utility>

#include "core/error.h"
#include "core/log.h"

namespace facemae {

struct TarWriter::State {
  explicit State(std::function<void(Bytes)> w)
      : write(std::move(w)),
        writer(archive_write_new(), archive_write_free),
        entry(archive_entry_new(), archive_entry_free) {}

  /// Exceptions must not pass through libarchive.
  static la_ssize_t take(archive*, void* self, const void* bytes, std::size_t count) {
    auto& state = *static_cast<State*>(self);
    if (state.failure) return -1;
    try {
      state.write({static_cast<const std::byte*>(bytes), count});
      return static_cast<la_ssize_t>(count);
    } catch (...) {
      state.failure = std::current_exception();
      return -1;
    }
  }
  void check(int result) {
    if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
    if (result == ARCHIVE_OK) return;
    const char* reason = archive_error_string(writer.get());
    throw Error(fmt::format("writing a tar: {}", reason == nullptr ? "unknown" : reason));
  }

  std::function<void(Bytes)> write;
  std::exception_ptr failure;
  std::unique_ptr<archive, int (*)(archive*)> writer;
  std::unique_ptr<archive_entry, void (*)(archive_entry*)> entry;
};

TarWriter::TarWriter(std::function<void(Bytes)> write) : state_(std::make_unique<State>(std::move(write))) {
  archive* writer = state_->writer.get();
  // Not pax: it would want names in the locale's letters. GNU's takes them as bytes, of any length.
  state_->check(archive_write_set_format_gnutar(writer));
  state_->check(archive_write_open(writer, state_.get(), nullptr, State::take, nullptr));
}
TarWriter::~TarWriter() {
  if (state_) archive_write_fail(state_->writer.get());  // an unfinished tar must not get its end mark
}

void TarWriter::add(const std::string& path, Bytes content) {
  archive_entry* entry = archive_entry_clear(state_->entry.get());
  archive_entry_copy_pathname(entry, path.c_str());
  archive_entry_set_filetype(entry, AE_IFREG);
  archive_entry_set_perm(entry, 0644);
  archive_entry_set_mtime(entry, 0, 0);
  archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
  state_->check(archive_write_header(state_->writer.get(), entry));
  const la_ssize_t written = archive_write_data(state_->writer.get(), content.data(), content.size());
  state_->check(written == static_cast<la_ssize_t>(content.size()) ? ARCHIVE_OK : ARCHIVE_FATAL);
}

void TarWriter::finish() { state_->check(archive_write_close(state_->writer.get())); }

}  // namespace facemae
