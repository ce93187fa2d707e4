#pragma once
// A file of torch.save (PyTorch since 1.6): a zip of stored members NAME/data.pkl and NAME/data/KEY, read by libzip.
// Nothing in it is executed, and nothing is allocated that is larger than the file.
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "checkpoint/pytorch/torch_pickle.h"
#include "core/files/files.h"

struct zip;
struct zip_error;
struct zip_source;

namespace facemae {

class TorchArchive {
 public:
  /// Reads the directory and data.pkl. Throws DataError naming the member for archives that are truncated, damaged,
  /// compressed, encrypted, big-endian, of TorchScript or of something else; FileError.
  explicit TorchArchive(const Path& path);
  /// The same in memory, which must outlive it.
  TorchArchive(std::string_view bytes, std::string name);
  ~TorchArchive();
  TorchArchive(const TorchArchive&) = delete;
  TorchArchive& operator=(const TorchArchive&) = delete;

  const std::string& name() const { return name_; }  ///< for messages
  std::uint64_t file_bytes() const { return bytes_; }
  const TorchPickle& content() const { return content_; }

  /// Bytes that the values of a storage take. Throws DataError when its member is missing, or has another size.
  std::uint64_t bytes_of(const TorchStorage& storage);
  /// Reads all of them, by pieces, and checks the member's CRC. `out` is of bytes_of(storage).
  void read(const TorchStorage& storage, std::span<std::byte> out);

 private:
  struct Member {
    std::uint64_t index, bytes;
  };
  void open(::zip_source* source, ::zip_error& error);
  void read_content();
  std::string folder_of_pickle() const;
  const Member& member(const std::string& name, std::string_view what);
  void read(const std::string& name, const Member& member, std::span<std::byte> out);
  std::string text(const std::string& name);
  [[noreturn]] void refuse(const std::string& found) const;
  /// Of libzip: a FileError where it could not read, else as refuse().
  [[noreturn]] void fail(const ::zip_error& error, const std::string& what) const;

  std::string name_;
  std::uint64_t bytes_ = 0, claimed_ = 0;
  std::unique_ptr<::zip, void (*)(::zip*)> zip_;
  std::map<std::string, std::uint64_t, std::less<>> index_;
  std::map<std::string, Member> members_;  ///< that were looked at
  std::string folder_, pickle_;
  TorchPickle content_;
};

/// Is this the beginning of such an archive? It may also be one of TorchScript, which is told by TorchArchive.
bool begins_torch_archive(std::string_view head);
bool is_torch_archive(const Path& file);  ///< false also when it cannot be read

}  // namespace facemae
