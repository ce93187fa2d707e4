#pragma once
// Files on their way to their names: each writer has a temporary name of its own, so that
// two never meet in one.
#include <string>

#include "core/files/files.h"

namespace facemae {

/// PATH.<host>-<process>-<random>.tmp: a name beside `path` that no other process uses.
Path own_temporary(const Path& path);
/// Is this a name that own_temporary() gave, to anybody?
bool is_temporary(const std::string& name);

/// An empty file of such a name, made anew (what is there, a link too, is never opened). It goes again unless
/// it was published: a failed write leaves nothing.
class TemporaryFile {
 public:
  TemporaryFile(FileSystem& files, const Path& final);  ///< throws FileError
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const Path& path() const noexcept { return path_; }
  /// Gives it its name and makes that durable; its bytes must be durable already. Whoever renames it by other
  /// means need not call this.
  void publish();

 private:
  FileSystem& files_;
  Path final_, path_;
};

/// Removes what killed writers have left in `folder`: temporaries of `name`, or of any. For whoever holds the
/// folder's or the name's lock; those of other processes that live on this host are left alone all the same.
void remove_temporaries(const Path& folder, const std::string& name = "");

}  // namespace facemae
