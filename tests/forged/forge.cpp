#include "tests/forged/forge.h"

#include <sys/stat.h>

#include <cstring>

#include "core/error.h"
#include "core/log.h"
#include "data/hdf5/hdf5_layout.h"
#include "data/store/manifest.h"
#include "data/upkeep/store_tools.h"
#include "tests/unit/data/store/small_store.h"

namespace facemae::forged {
namespace {

namespace fs = std::filesystem;
using hdf5::Extent;
using hdf5::Layout;
using hdf5::Type;

template <class T>
T take(const std::string& bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}
template <class T>
void put(std::string& bytes, std::size_t at, T value) {
  if (at + sizeof value <= bytes.size()) std::memcpy(bytes.data() + at, &value, sizeof value);
}

Layout layout_of(const std::string& bytes, const Path& scratch) {
  const Path path = scratch / "looked-at";
  write_whole(real_files(), path, bytes);
  return hdf5::read_layout(InputFile(path), bytes.size());
}

template <class Range>
auto& any_of(Range& range, Draws& draws) {
  return *std::next(range.begin(), static_cast<std::ptrdiff_t>(draws.below(range.size())));
}

/// Numbers that programs stumble over, and neighbours of the right one.
std::uint64_t number(Draws& draws, std::uint64_t right) {
  static constexpr std::uint64_t kNumbers[] = {
      0,          1,          2,          4096,       4097,       0x7FFFFFFF,
      0x80000000, 0xFFFFFFFF, 1ULL << 32, 1ULL << 40, 1ULL << 48, 1ULL << 60,
      1ULL << 61, 1ULL << 62, 1ULL << 63, ~0ULL,      ~0ULL - 1,  1000000000000};
  switch (draws.below(5)) {
    case 0:
      return right + 1;
    case 1:
      return right - 1;
    case 2:
      return draws.next() >> draws.below(64);
    default:
      return kNumbers[draws.below(std::size(kNumbers))];
  }
}

std::string text(Draws& draws, std::size_t length) {
  static const std::string kTexts[] = {"../store", "../view1", "../view2", ".",    "..",
                                       "/",        "/etc",     "a/b",      "view", std::string("\0x", 2)};
  std::string made = draws.below(3) > 0 ? kTexts[draws.below(std::size(kTexts))] : "";
  while (made.size() < length) made += draws.below(2) == 0 ? '\0' : static_cast<char>(draws.next());
  made.resize(length);
  return made;
}

/// Where the value of a root attribute lies, 0 when it is not found: behind its name, type and shape.
std::size_t place_of(const std::string& bytes, const std::string& name, Type type) {
  const std::size_t at = bytes.find(std::string("\0", 1) + name + std::string("\0", 1));
  return at == bytes.npos ? 0 : at + name.size() + 2 + (type == Type::Text ? 12 : 16);
}

std::string change_attribute(std::string& bytes, const Layout& layout, Draws& draws) {
  if (layout.attributes.empty()) return "nothing";
  const auto& [name, attribute] = any_of(layout.attributes, draws);
  const std::size_t at = place_of(bytes, name, attribute.type);
  if (at == 0 || at + 8 > bytes.size()) return "nothing";
  if (attribute.type == Type::U64) {
    put(bytes, at, number(draws, attribute.number));
  } else {
    const std::string made = text(draws, attribute.text.size());
    bytes.replace(at, made.size(), made);
  }
  return "attribute " + name;
}

std::string change_array(std::string& bytes, const Layout& layout, Draws& draws) {
  if (layout.arrays.empty()) return "nothing";
  const auto& [name, at] = any_of(layout.arrays, draws);
  if (at.count == 0 || name == "/blob") return "nothing";
  for (std::uint64_t left = 1 + draws.below(3); left > 0; --left) {
    const std::size_t place = at.offset + draws.below(at.count) * at.width;
    if (at.type == Type::Text)
      bytes.replace(place, at.width, text(draws, at.width));
    else if (at.width == 8)
      put(bytes, place, number(draws, take<std::uint64_t>(bytes, place)));
    else
      put(bytes, place, static_cast<std::uint8_t>(draws.next()));
  }
  return "array " + name;
}

/// Bytes of the structures, which lie where something is written that is no array.
std::string change_structure(std::string& bytes, const Layout& layout, Draws& draws) {
  for (int tries = 0; tries < 1000; ++tries) {
    const std::size_t at = draws.below(bytes.size());
    if (bytes.substr(at / 32 * 32, 32).find_first_not_of('\0') == bytes.npos) continue;
    bool of_array = false;
    for (const auto& [name, extent] : layout.arrays)
      of_array = of_array || (at >= extent.offset && at < extent.offset + extent.bytes());
    if (of_array) continue;
    switch (draws.below(4)) {
      case 0:
        bytes[at] = static_cast<char>(draws.next());
        break;
      case 1:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << draws.below(8)));
        break;
      case 2:
        put(bytes, at, static_cast<std::uint16_t>(number(draws, take<std::uint8_t>(bytes, at))));
        break;
      default:
        put(bytes, at, number(draws, bytes.size()));
    }
    return fmt::format("structure at {}", at);
  }
  return "nothing";
}

/// Another count, with a place and size that fit it or do not.
std::string change_extent(std::string& bytes, Draws& draws) {
  const std::string shape("\x01\x14\0\0\x02\x01\x01\x01", 8), place("\x08\x12\0\0\x04\x01", 6);
  std::vector<std::size_t> shapes;
  for (std::size_t at = 0; (at = bytes.find(shape, at)) != bytes.npos; ++at)
    shapes.push_back(at + shape.size());
  if (shapes.empty()) return "nothing";
  const std::size_t at = any_of(shapes, draws);
  const auto before = take<std::uint64_t>(bytes, at), count = number(draws, before);
  put(bytes, at, count);
  if (draws.below(4) > 0) put(bytes, at + 8, count);
  if (const std::size_t layout = bytes.find(place, at); layout != bytes.npos && draws.below(4) > 0) {
    const std::size_t offset = layout + place.size();
    const auto size = take<std::uint64_t>(bytes, offset + 8);
    put(bytes, offset + 8, before > 0 ? size / before * count : number(draws, size));
    if (draws.below(3) == 0)
      put(bytes, offset, draws.below(2) == 0 ? draws.below(bytes.size()) : number(draws, 0));
  }
  return fmt::format("{} elements for {}", count, before);
}

/// An image of another kind, with the right CRC-32C.
std::string change_image(std::string& bytes, const Layout& layout, Draws& draws) {
  const auto blob = layout.arrays.find("/blob"), offsets = layout.arrays.find("/index/offset"),
             crcs = layout.arrays.find("/index/crc32c");
  if (blob == layout.arrays.end() || offsets == layout.arrays.end() || crcs == layout.arrays.end() ||
      crcs->second.count == 0)
    return "nothing";
  const std::uint64_t i = draws.below(crcs->second.count);
  const auto begin = take<std::uint64_t>(bytes, offsets->second.offset + 8 * i),
             end = take<std::uint64_t>(bytes, offsets->second.offset + 8 * i + 8);
  if (begin >= end || end > blob->second.count) return "nothing";
  for (std::uint64_t k = 1 + draws.below(20); k > 0; --k)
    bytes[blob->second.offset + begin + draws.below(end - begin)] = static_cast<char>(draws.next());
  const Bytes image = bytes_of(bytes).subspan(blob->second.offset + begin, end - begin);
  put(bytes, crcs->second.offset + 4 * i, crc32c(image));
  return fmt::format("image {}", i);
}

bool is_sealed(const std::string& name) { return name.ends_with(".h5"); }

std::string forge_once(Files& files, Draws& draws, const Path& scratch) {
  auto& [name, bytes] = any_of(files.bytes, draws);
  const std::uint64_t kind = draws.below(100);
  if (kind < 4) {
    static const std::string kInstead[] = {"missing", "pipe", "folder", "loop"};
    return name + ": " + (files.instead[name] = kInstead[draws.below(4)]);
  }
  if (kind < 8) {
    auto& [other, theirs] = any_of(files.bytes, draws);
    bytes = std::string(theirs);
    return name + ": a copy of " + other;
  }
  if (kind < 12) {
    bytes.resize(draws.below(2) == 0 ? draws.below(bytes.size() + 1) : bytes.size() + draws.below(4096));
    return fmt::format("{}: {} bytes", name, bytes.size());
  }
  if (!is_sealed(name)) {
    if (!bytes.empty()) bytes[draws.below(bytes.size())] = static_cast<char>(draws.next());
    return name + ": a byte";
  }
  if (kind < 15) {
    files.unsealed[name] = {draws.below(bytes.size() + 1), number(draws, 0)};
    return name + ": another range of images in its seal";
  }
  Layout layout;
  try {
    layout = layout_of(bytes, scratch);
  } catch (const DataError&) {  // forged before
    return name + ": " + change_structure(bytes, layout, draws);
  }
  if (kind < 35) return name + ": " + change_attribute(bytes, layout, draws);
  if (kind < 60) return name + ": " + change_array(bytes, layout, draws);
  if (kind < 75) return name + ": " + change_structure(bytes, layout, draws);
  if (kind < 85) return name + ": " + change_extent(bytes, draws);
  if (kind < 90) return name + ": " + change_image(bytes, layout, draws);
  return name + ": " + rewrite_by_hdf5(bytes, draws, scratch);
}

void replace_everywhere(Files& files, const std::string& from, const std::string& to) {
  if (from.size() != to.size() || from == to) return;
  for (auto& [name, bytes] : files.bytes)
    for (std::size_t at = 0; (at = bytes.find(from, at)) != bytes.npos; at += to.size())
      bytes.replace(at, to.size(), to);
}

Bytes content(const std::string& bytes, const Layout& layout, const std::string& array) {
  const auto at = layout.arrays.find(array);
  if (at == layout.arrays.end()) return {};
  return bytes_of(bytes).subspan(at->second.offset, at->second.bytes());
}

void digest_shard(Files& files, const std::string& name, const Path& scratch) {
  const std::string& bytes = files.bytes.at(name);
  const Layout layout = layout_of(bytes, scratch);
  Hasher index;
  for (const char* array :
       {"/index/offset", "/index/crc32c", "/index/label", "/index/source_key", "/index/flags"})
    index.add(content(bytes, layout, array));
  const auto blob = xxh128(content(bytes, layout, "/blob")).hex();
  replace_everywhere(files, layout.attributes.at("index_digest").text, index.digest().hex());
  replace_everywhere(files, layout.attributes.at("blob_digest").text, blob);
}

void digest_store(Files& files, const Path& scratch) {
  const std::string& bytes = files.bytes.at("store/manifest.h5");
  const Layout layout = layout_of(bytes, scratch);
  const Bytes images = content(bytes, layout, "/shards/images"),
              blobs = content(bytes, layout, "/shards/blob_digest"),
              indexes = content(bytes, layout, "/shards/index_digest");
  std::vector<ShardInfo> shards(images.size() / 8);
  for (std::size_t i = 0; i < shards.size() && 32 * (i + 1) <= std::min(blobs.size(), indexes.size()); ++i) {
    std::memcpy(&shards[i].images, images.data() + 8 * i, 8);
    const auto digest = [&](Bytes from) {
      return Hash128::from_hex({reinterpret_cast<const char*>(from.data()) + 32 * i, 32});
    };
    shards[i].blob_digest = digest(blobs);
    shards[i].index_digest = digest(indexes);
  }
  replace_everywhere(files, layout.attributes.at("dataset_digest").text, digest_of_shards(shards).hex());
}

void digest_view_of(Files& files, const std::string& folder, const Path& scratch) {
  const Layout head = layout_of(files.bytes.at(folder + "/manifest.h5"), scratch);
  const std::string& bytes = files.bytes.at(folder + "/view.h5");
  const Layout layout = layout_of(bytes, scratch);
  StoreManifest view;
  view.parent_digest = Hash128::from_hex(head.attributes.at("parent_digest").text);
  std::vector<std::uint64_t> rows(content(bytes, layout, "/row").size() / 8);
  std::vector<std::int64_t> labels(content(bytes, layout, "/label").size() / 8);
  if (!rows.empty()) std::memcpy(rows.data(), content(bytes, layout, "/row").data(), 8 * rows.size());
  if (!labels.empty()) std::memcpy(labels.data(), content(bytes, layout, "/label").data(), 8 * labels.size());
  view.rows = std::move(rows);
  view.labels = std::move(labels);
  replace_everywhere(files, head.attributes.at("dataset_digest").text, digest_of_view(view).hex());
}

}  // namespace

Files original(const Path& folder) {
  const auto store = testing_stores::make_store(folder / kFolders[0], {6, 5, 7, 4}, 12);
  select_from_store(real_files(), *store, {.identities = {true, false, true, true}}, folder / kFolders[1]);
  select_from_store(real_files(), *Store::open(folder / kFolders[1]), {.identities = {true, true, false}},
                    folder / kFolders[2]);
  Files files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = fs::relative(entry.path(), folder).string();
    std::string bytes = read_file(entry.path());
    if (is_sealed(name)) {
      files.unsealed[name] = read_seal(InputFile(entry.path())).blob;
      bytes.resize(bytes.size() - kSealBytes);
    }
    files.bytes[name] = std::move(bytes);
  }
  return files;
}

std::string forge(Files& files, Draws& draws, const Path& scratch) {
  std::string done;
  for (std::uint64_t left = 1 + draws.below(3); left > 0; --left)
    done += (done.empty() ? "" : "; ") + forge_once(files, draws, scratch);
  if (draws.below(4) == 0) return done;
  digest_anew(files, scratch);
  return done + "; digested anew";
}

void digest_anew(Files& files, const Path& scratch) {
  const auto attempt = [&](auto digest) {
    try {
      digest();
    } catch (const std::exception&) {  // it cannot be read any more, and keeps what it says
    }
  };
  for (const char* name : {"store/shard-00000.h5", "store/shard-00001.h5"})
    attempt([&] { digest_shard(files, name, scratch); });
  attempt([&] { digest_store(files, scratch); });
  for (const char* view : {"view1", "view2"}) attempt([&] { digest_view_of(files, view, scratch); });
}

void write_sealed(const Files& files, const Path& folder) {
  for (const auto& [name, bytes] : files.bytes) {
    const Path path = folder / name;
    fs::create_directories(path.parent_path());
    const auto instead = files.instead.find(name);
    if (instead != files.instead.end()) {
      if (instead->second == "pipe") ::mkfifo(path.c_str(), 0666);
      if (instead->second == "folder") fs::create_directory(path);
      if (instead->second == "loop") fs::create_symlink(path, path);
      continue;
    }
    write_whole(real_files(), path, bytes);
    if (!is_sealed(name)) continue;
    FileRange blob = files.unsealed.at(name);
    if (blob.offset > bytes.size() || blob.bytes > bytes.size() - blob.offset) blob = {};
    append_seal(real_files(), path, blob);
  }
}

}  // namespace facemae::forged
