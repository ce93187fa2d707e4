#include "data/hdf5/hdf5_reader.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "core/error.h"
#include "core/log.h"

namespace facemae::hdf5 {

struct Reader::Mapping {
  FileRange range;  ///< from the first array to the last
  std::mutex mutex;
  std::shared_ptr<const std::byte> bytes;
};

Reader::Reader(Path path, Layout layout, FileRange blob)
    : path_(std::move(path)), layout_(std::move(layout)), mapping_(std::make_shared<Mapping>()) {
  std::uint64_t first = ~std::uint64_t{0}, last = 0;
  for (const auto& [name, array] : layout_.arrays) {
    const bool is_blob = blob.bytes > 0 && array.offset == blob.offset;
    if (array.bytes() == 0 || is_blob) continue;
    first = std::min(first, array.offset);
    last = std::max(last, array.offset + array.bytes());
  }
  if (last > 0) mapping_->range = {first, last - first};
}

std::shared_ptr<const std::byte> Reader::mapped(const FileRange& array) const {
  if (array.bytes == 0) return nullptr;
  const auto& [offset, bytes] = mapping_->range;
  if (array.offset < offset || array.offset + array.bytes > offset + bytes)
    return map_file(path_, array.offset, array.bytes);  // the blob
  const std::scoped_lock lock(mapping_->mutex);
  if (!mapping_->bytes) mapping_->bytes = map_file(path_, offset, bytes);
  return {mapping_->bytes, mapping_->bytes.get() + (array.offset - offset)};
}

Reader Reader::open(const Path& path, SealCheck check) {
  std::error_code unseen;
  const auto status = std::filesystem::status(path, unseen);
  if (status.type() == std::filesystem::file_type::not_found)
    throw DataError("opening " + path.string() +
                    ": there is no such file; pack again or copy it from a replica");
  // Opening a pipe would wait for a writer.
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    throw DataError("opening " + path.string() +
                    ": it is not a plain file; copy the right one from a replica");
  const InputFile file(path);
  const Seal seal = check == SealCheck::Hashed ? check_seal(file) : read_seal(file);
  return {path, read_layout(file, seal.file_bytes - kSealBytes), seal.blob};
}

const Attribute& Reader::attribute(const std::string& name, Type type) const {
  const auto found = layout_.attributes.find(name);
  if (found == layout_.attributes.end())
    throw DataError(path_.string() + " has no attribute " + name +
                    ": it is not a file of this program, or of another version");
  if (found->second.type != type)
    throw DataError("attribute " + name + " in " + path_.string() + " is not a " +
                    (type == Type::Text ? "text" : "number") + ": this is not a file of this program");
  return found->second;
}

std::uint64_t Reader::read_number(const std::string& name) const { return attribute(name, Type::U64).number; }
std::string Reader::read_text(const std::string& name) const { return attribute(name, Type::Text).text; }

const Extent& Reader::extent(const std::string& name, Type type, Most most) const {
  const auto found = layout_.arrays.find(name);
  if (found == layout_.arrays.end())
    throw DataError(path_.string() + " has no array " + name + ": it is not a file of this program");
  const Extent& at = found->second;
  if (at.type != type)
    throw DataError(name + " in " + path_.string() +
                    " has another element type: this is not a file of this program");
  if (at.count > most.count || at.width > most.width)
    throw DataError(
        fmt::format("{} in {} has {} elements of {} bytes, more than any file of this program has", name,
                    path_.string(), at.count, at.width));
  return at;
}

std::vector<std::string> Reader::read_texts(const std::string& name, Most most) const {
  const Extent at = extent(name, Type::Text, most);
  std::vector<std::byte> padded(at.bytes());
  InputFile(path_).read_at(at.offset, padded);
  std::vector<std::string> texts(at.count);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const char* text = reinterpret_cast<const char*>(padded.data()) + i * at.width;
    texts[i].assign(text, strnlen(text, at.width));
  }
  return texts;
}

FileRange Reader::place(const std::string& name, Type type) const {
  const Extent& at = extent(name, type, {.count = ~std::uint64_t{0}});
  return {.offset = at.offset, .bytes = at.bytes()};
}

}  // namespace facemae::hdf5
