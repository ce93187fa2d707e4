#include "data/archives/archive.h"

#include "data/archives/tar_reader.h"
#include "data/archives/zip_reader.h"

namespace facemae {

std::unique_ptr<ArchiveReader> open_archive(const Path& path, ArchiveKind kind, InputFiles& inputs,
                                            const ReadPolicy& patience) {
  auto file = std::make_unique<ArchiveFile>(path, inputs, patience);
  return kind == ArchiveKind::Zip ? zip_reader(std::move(file)) : tar_reader(std::move(file));
}

const char* name_of(ArchiveKind kind) { return kind == ArchiveKind::Zip ? "zip" : "tar"; }

}  // namespace facemae
