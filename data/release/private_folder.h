#pragma once
// Guards the private folder of releases: nobody else may look into it, put anything into it, or change what
// it is while it is written.
#include <optional>
#include <string>

#include "core/files/files.h"
#include "core/files/folder_lock.h"

namespace facemae {

/// Held open and locked as long as this object lives. As a FileSystem, its paths are at(name); where no file is made
/// beside another (write_durably() makes one), a name in the folder will do, too. New files are created with mode 0600, never through a link or in place of an existing
/// file, whatever has become of the path to the folder meanwhile.
class PrivateFolder final : public FileSystem {
 public:
  /// Creates the folder with mode 0700. An existing one must be this user's, have mode 0700 already, and hold
  /// only files of a private folder, each this user's and without a second name (ConfigError): in a folder
  /// that was open to others, they may have left links. Files that an older version left readable are closed
  /// to others. Throws Unresumable naming the owner when another process works in the folder.
  explicit PrivateFolder(const Path& folder);
  ~PrivateFolder() override;  ///< removes the folder if it was created here and has stayed empty
  PrivateFolder(const PrivateFolder&) = delete;
  PrivateFolder& operator=(const PrivateFolder&) = delete;

  const Path& path() const noexcept { return path_; }
  /// Where libraries find one of its files: a path through the open folder.
  Path at(const Path& name) const;
  bool has(const std::string& name) const { return std::filesystem::exists(at(name)); }
  std::string read(const std::string& name) const { return read_plain_file(at(name)); }
  void write(const std::string& name, Bytes bytes) { write_durably(*this, at(name), bytes); }
  void write(const std::string& name, const std::string& text) { write(name, bytes_of(text)); }

  std::unique_ptr<OutputFile> create(const Path& name) override;
  std::unique_ptr<OutputFile> open_append(const Path& name) override;
  void rename(const Path& from, const Path& to) override;
  void remove(const Path& name) override;
  void make_folder(const Path& name) override;  ///< throws Error: it contains no folders
  void sync_folder(const Path& name) override;

 private:
  void check_folder() const;
  void check_entries() const;

  Path path_;
  bool made_ = false;
  int descriptor_ = -1;
  std::optional<FolderLock> lock_;
};

}  // namespace facemae
