#pragma once
// Gives each writer a temporary name of its own for a file that is not finished, so that two writers never
// meet in one file.
#include <string>

#include "core/files/files.h"

namespace facemae {

/// PATH.<host>-<process>-<random>.tmp: a name beside `path` that no other process uses.
Path own_temporary(const Path& path);
/// Is this a name that own_temporary() returned, in any process?
bool is_temporary(const std::string& name);

/// An empty file with such a name, newly created (an existing file or link is never opened). It is removed
/// unless it was published: a failed write leaves nothing behind.
class TemporaryFile {
 public:
  TemporaryFile(FileSystem& files, const Path& final);  ///< throws FileError
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const Path& path() const noexcept { return path_; }
  /// Gives the file its name and makes that durable; its bytes must be durable already. Whoever renames it by
  /// other means need not call this.
  void publish();

 private:
  FileSystem& files_;
  Path final_, path_;
};

/// Removes what killed writers have left in `folder`: temporaries of `name`, or of any name. For the holder
/// of the lock of folder or name; those of other living processes of this host are left alone even so.
void remove_temporaries(const Path& folder, const std::string& name = "");

}  // namespace facemae
