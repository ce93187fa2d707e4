#include "data/hdf5/hdf5_layout.h"

#include <array>
#include <cstring>
#include <optional>
#include <type_traits>
#include <vector>

#include "core/error.h"
#include "core/log.h"
#include "data/hdf5/seal.h"

namespace facemae::hdf5 {
namespace {

// More than any file of a store has, yet little enough to be read whatever a file claims.
constexpr std::uint64_t kMostMetadata = 4 << 20;
constexpr std::size_t kMostObjects = 64;
constexpr std::size_t kLongestName = 255;

constexpr std::uint64_t kNowhere = ~std::uint64_t{0};

/// Kinds of messages in an object's header (HDF5 File Format Specification 3.0, IV.A.2).
constexpr std::uint8_t kNil = 0x00, kDataspace = 0x01, kLinkInfo = 0x02, kDatatype = 0x03, kFillValue = 0x05,
                       kLink = 0x06, kExternalFiles = 0x07, kDataLayout = 0x08, kGroupInfo = 0x0A,
                       kFilters = 0x0B, kAttribute = 0x0C, kContinuation = 0x10, kAttributeInfo = 0x15;
constexpr std::uint8_t kShared = 0x02;  // flag of a message whose content lies elsewhere

/// Why the file is refused; read_layout adds its name.
[[noreturn]] void refuse(const std::string& why) { throw DataError(why); }

/// Takes values from bytes, from front to back, never beyond their end.
class Cursor {
 public:
  explicit Cursor(Bytes bytes) : rest_(bytes) {}
  Bytes take(std::uint64_t bytes) {
    if (bytes > rest_.size()) refuse("has a structure that ends before its content");
    const Bytes taken = rest_.first(static_cast<std::size_t>(bytes));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  template <class T>
  T take() {
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  /// An unsigned number of at most 8 bytes.
  std::uint64_t number(unsigned bytes) {
    std::uint64_t value = 0;
    std::memcpy(&value, take(bytes).data(), bytes);
    return value;
  }
  void expect(std::uint8_t value, const char* what) {
    if (take<std::uint8_t>() != value) refuse(std::string("has ") + what);
  }
  void expect(std::string_view text, const char* what) {
    const Bytes found = take(text.size());
    if (std::memcmp(found.data(), text.data(), text.size()) != 0) refuse(std::string("has ") + what);
  }
  std::size_t left() const { return rest_.size(); }

 private:
  Bytes rest_;
};

std::string text_of(Bytes bytes) {
  const char* text = reinterpret_cast<const char*>(bytes.data());
  return {text, strnlen(text, bytes.size())};
}

struct Element {
  Type type;
  std::uint64_t width;
};

Element read_datatype(Cursor from) {
  const auto kind = from.take<std::uint8_t>();
  const std::uint64_t bits = from.number(3);
  const std::uint64_t width = from.take<std::uint32_t>();
  const int version = kind >> 4, of_class = kind & 0xF;
  if (version < 1 || version > 4) refuse("has a data type of an unknown version");
  constexpr std::uint32_t kNullPaddedUtf8 = 0x11, kSigned = 0x08;
  if (of_class == 3 && bits == kNullPaddedUtf8 && width >= 1) return {Type::Text, width};
  if (of_class == 0 && from.take<std::uint16_t>() == 0 && from.take<std::uint16_t>() == 8 * width) {
    if (bits == 0 && width == 1) return {Type::U8, width};
    if (bits == 0 && width == 4) return {Type::U32, width};
    if (bits == 0 && width == 8) return {Type::U64, width};
    if (bits == kSigned && width == 8) return {Type::I64, width};
  }
  refuse("has a value of another type than files of this program have");
}

/// The number of elements; a scalar has rank 0.
std::uint64_t read_dataspace(Cursor from, std::uint8_t rank) {
  from.expect(2, "a shape of an unknown version");
  from.expect(rank,
              rank == 0 ? "an attribute of more than one value" : "an array that is not one-dimensional");
  const auto flags = from.take<std::uint8_t>();
  from.expect(rank, "a shape of an unknown kind");  // 0 a scalar, 1 a simple one
  if (rank == 0) return 1;
  const auto count = from.take<std::uint64_t>();
  if ((flags & 1) != 0 && from.take<std::uint64_t>() != count) refuse("has an array that can grow");
  return count;
}

std::pair<std::string, Attribute> read_attribute(Cursor from) {
  from.expect(3, "an attribute of an unknown version");
  from.expect(0, "an attribute with a shared type");
  const auto name_bytes = from.take<std::uint16_t>(), type_bytes = from.take<std::uint16_t>(),
             space_bytes = from.take<std::uint16_t>();
  from.take<std::uint8_t>();  // character set of the name
  std::string name = text_of(from.take(name_bytes));
  const Element element = read_datatype(Cursor(from.take(type_bytes)));
  read_dataspace(Cursor(from.take(space_bytes)), 0);
  Attribute attribute{.type = element.type, .text = ""};
  if (element.type == Type::Text)
    attribute.text = text_of(from.take(element.width));
  else if (element.type == Type::U64)
    attribute.number = from.take<std::uint64_t>();
  else
    refuse("has the attribute " + name + " of another type than u64 and text");
  return {std::move(name), std::move(attribute)};
}

struct Link {
  std::string name;
  std::uint64_t address;
};

Link read_link(Cursor from) {
  from.expect(1, "a link of an unknown version");
  const auto flags = from.take<std::uint8_t>();
  if ((flags & 0x08) != 0) from.expect(0, "a link that is not a hard one");
  if ((flags & 0x04) != 0) from.take<std::uint64_t>();  // order of creation
  if ((flags & 0x10) != 0) from.take<std::uint8_t>();   // character set of the name
  const std::uint64_t length = from.number(1U << (flags & 3));
  if (length == 0 || length > kLongestName) refuse("has a link with an impossible name");
  const Bytes name = from.take(length);
  return {std::string(reinterpret_cast<const char*>(name.data()), name.size()), from.take<std::uint64_t>()};
}

/// One object: a group if it has links or could have some, otherwise an array.
struct Object {
  bool group = false;
  std::vector<Link> links;
  std::map<std::string, Attribute> attributes;
  std::optional<Element> element;
  std::optional<std::uint64_t> count;
  std::optional<FileRange> place;
};

FileRange read_data_layout(Cursor from) {
  const auto version = from.take<std::uint8_t>();
  if (version != 3 && version != 4) refuse("has an array whose layout is of an unknown version");
  from.expect(1, "an array that is not contiguous");
  const auto offset = from.take<std::uint64_t>();
  return {.offset = offset, .bytes = from.take<std::uint64_t>()};
}

void require_compact(Cursor from, bool links) {
  from.expect(0, "groups or attributes of an unknown version");
  const auto flags = from.take<std::uint8_t>();
  if ((flags & 1) != 0) from.number(links ? 8 : 2);  // the highest number in order of creation
  if (from.take<std::uint64_t>() != kNowhere) refuse("has more links or attributes than a header holds");
}

class Walk {
 public:
  Walk(const InputFile& file, std::uint64_t end) : file_(file), end_(end) {}

  Layout run() {
    const auto bytes = read(0, 48);
    Cursor superblock(bytes);
    superblock.expect(std::string_view("\x89HDF\r\n\x1a\n", 8), "no HDF5 signature at its beginning");
    const auto version = superblock.take<std::uint8_t>();
    if (version != 2 && version != 3) refuse("has an HDF5 superblock of another version than 2 or 3");
    superblock.expect(8, "addresses of another length than 8 bytes");
    superblock.expect(8, "lengths of another length than 8 bytes");
    superblock.take<std::uint8_t>();  // whether a writer has it open
    if (superblock.take<std::uint64_t>() != 0) refuse("has a user block");
    if (superblock.take<std::uint64_t>() != kNowhere) refuse("has a superblock extension");
    if (superblock.take<std::uint64_t>() > end_) refuse("is shorter than its superblock says");
    Object root = read_object(superblock.take<std::uint64_t>());
    if (!root.group) refuse("has no root group");
    Layout layout{.attributes = std::move(root.attributes), .arrays = {}};
    collect("/", root, layout, true);
    return layout;
  }

 private:
  /// Reads metadata only, so few bytes.
  std::vector<std::byte> read(std::uint64_t offset, std::uint64_t bytes) {
    if (offset > end_ || bytes > end_ - offset) refuse("has a structure that lies beyond its end");
    if (bytes > kMostMetadata - metadata_) refuse("has more metadata than files of this program have");
    metadata_ += bytes;
    std::vector<std::byte> found(static_cast<std::size_t>(bytes));
    file_.read_at(offset, found);
    return found;
  }

  Object read_object(std::uint64_t address) {
    if (++objects_ > kMostObjects) refuse("has more objects than files of this program have");
    auto head = read(address, std::min<std::uint64_t>(32, end_ - std::min(end_, address)));
    Cursor from(head);
    from.expect(std::string_view("OHDR"), "no object where a link leads");
    from.expect(2, "an object header of another version than 2");
    const auto flags = from.take<std::uint8_t>();
    if ((flags & 0x20) != 0) from.take(16);  // times
    if ((flags & 0x10) != 0) from.take(4);   // when attributes leave the header
    const std::uint64_t bytes = from.number(1U << (flags & 3));
    Object object;
    std::vector<FileRange> chunks{{.offset = address + head.size() - from.left(), .bytes = bytes}};
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      const auto chunk = read(chunks[i].offset, chunks[i].bytes);
      read_messages(Cursor(chunk), (flags & 0x04) != 0, object, chunks);
    }
    return object;
  }

  void read_messages(Cursor from, bool numbered, Object& object, std::vector<FileRange>& chunks) {
    const std::size_t head = numbered ? 6 : 4;
    while (from.left() >= head) {
      const auto kind = from.take<std::uint8_t>();
      const auto bytes = from.take<std::uint16_t>();
      const auto flags = from.take<std::uint8_t>();
      if (numbered) from.take<std::uint16_t>();
      if ((flags & kShared) != 0) refuse("has a message that lies elsewhere");
      read_message(kind, Cursor(from.take(bytes)), object, chunks);
    }
  }

  void read_message(std::uint8_t kind, Cursor from, Object& object, std::vector<FileRange>& chunks) {
    switch (kind) {
      case kNil:
      case kGroupInfo:
      case kFillValue:  // of elements that were never written, of which there are none
        return;
      case kLinkInfo:
        object.group = true;
        return require_compact(from, true);
      case kAttributeInfo:
        return require_compact(from, false);
      case kLink:
        object.links.push_back(read_link(from));
        return;
      case kAttribute:
        if (!object.attributes.insert(read_attribute(from)).second) refuse("has an attribute twice");
        return;
      case kDatatype:
        return once(object.element, read_datatype(from));
      case kDataspace:
        return once(object.count, read_dataspace(from, 1));
      case kDataLayout:
        return once(object.place, read_data_layout(from));
      case kContinuation: {
        const auto offset = from.take<std::uint64_t>(), bytes = from.take<std::uint64_t>();
        if (bytes < 8) refuse("has a header whose continuation is missing");
        const auto name = read(offset, 4);
        Cursor(name).expect(std::string_view("OCHK"), "a header whose continuation is missing");
        chunks.push_back({.offset = offset + 4, .bytes = bytes - 8});  // without its name and checksum
        return;
      }
      case kFilters:
        refuse("has an array with filters: was it rewritten by another tool (h5repack)?");
      case kExternalFiles:
        refuse("has an array that lies in another file");
      default:
        refuse(fmt::format("has a message of kind {:#04x}, which files of this program do not have", kind));
    }
  }

  template <class T>
  static void once(std::optional<T>& value, T found) {
    if (value) refuse("has an array with two types, shapes or places");
    value = found;
  }

  void collect(const std::string& prefix, const Object& group, Layout& layout, bool may_have_groups) {
    for (const Link& link : group.links) {
      const Object object = read_object(link.address);
      const std::string path = prefix + link.name;
      if (object.group) {
        if (!may_have_groups) refuse("has groups in groups");
        collect(path + "/", object, layout, false);
      } else if (!layout.arrays.emplace(path, extent_of(object, path)).second) {
        refuse("has " + path + " twice");
      }
    }
  }

  Extent extent_of(const Object& object, const std::string& path) const {
    if (!object.element || !object.count || !object.place) refuse("has no complete array " + path);
    Extent extent{.type = object.element->type, .width = object.element->width, .count = *object.count};
    if (extent.count == 0) return extent;
    extent.offset = object.place->offset;
    if (extent.offset == kNowhere) refuse("has no place for " + path);
    if (extent.offset > end_ || extent.count > (end_ - extent.offset) / extent.width)
      refuse("has the array " + path + ", which ends beyond the file");
    if (extent.bytes() != object.place->bytes)
      refuse("stores " + path + " in a place that does not fit its shape");
    return extent;
  }

  const InputFile& file_;
  std::uint64_t end_;
  std::uint64_t metadata_ = 0;
  std::size_t objects_ = 0;
};

}  // namespace

Layout read_layout(const InputFile& file, std::uint64_t end) {
  try {
    return Walk(file, end).run();
  } catch (const DataError& error) {
    throw DataError(
        file.path().string() + " " + error.what() +
        ": it is not a file of this program, or it is damaged; pack it again or copy it from a replica");
  }
}

}  // namespace facemae::hdf5
