#include "core/files/scratch_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/error.h"

namespace facemae {

ScratchFile::ScratchFile(const Path& folder) {
  std::string name = (folder / ".scratch-XXXXXX").string();
  descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0)
    throw FileError("creating a temporary file in " + folder.string() + ": " + std::strerror(errno), errno);
  ::unlink(name.c_str());
  path_ = "/proc/self/fd/" + std::to_string(descriptor_);
}

ScratchFile::~ScratchFile() { ::close(descriptor_); }

}  // namespace facemae
