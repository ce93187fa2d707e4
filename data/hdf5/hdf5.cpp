#include "data/hdf5/hdf5.h"

#include <hdf5.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/error.h"
#include "core/log.h"

namespace facemae::hdf5 {

static_assert(std::is_same_v<Id, hid_t> || sizeof(Id) == sizeof(hid_t));
static_assert(std::endian::native == std::endian::little, "arrays are read where they lie in the file");

namespace {

constexpr hsize_t kAlignment = 1 << 20;
constexpr std::size_t kLongestAttribute = 60000;  // HDF5: 64 KiB with its header

hid_t file_type(Type type) {
  switch (type) {
    case Type::U8:
      return H5T_STD_U8LE;
    case Type::U32:
      return H5T_STD_U32LE;
    case Type::I64:
      return H5T_STD_I64LE;
    case Type::U64:
      return H5T_STD_U64LE;
    case Type::Text:
      break;  // has a width of its own
  }
  return H5I_INVALID_HID;
}
hid_t memory_type(Type type) {
  switch (type) {
    case Type::U8:
      return H5T_NATIVE_UINT8;
    case Type::U32:
      return H5T_NATIVE_UINT32;
    case Type::I64:
      return H5T_NATIVE_INT64;
    case Type::U64:
      return H5T_NATIVE_UINT64;
    case Type::Text:
      break;
  }
  return H5I_INVALID_HID;
}

/// The innermost description on HDF5's error stack: it is the cause, while the outer ones only
/// name the callers.
std::string innermost_reason() {
  std::string reason;
  const H5E_walk2_t take_first = [](unsigned n, const H5E_error2_t* error, void* out) -> herr_t {
    if (n == 0 && error->desc != nullptr) *static_cast<std::string*>(out) = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &reason);
  H5Eclear2(H5E_DEFAULT);
  return reason.empty() ? "no reason given" : reason;
}

/// The errno that libhdf5 quotes in a reason, or EIO if there is none.
int code_in(const std::string& reason) {
  constexpr std::string_view before = "errno = ";
  const std::size_t at = reason.find(before);
  const int code = at == reason.npos ? 0 : std::atoi(reason.c_str() + at + before.size());
  return code > 0 ? code : EIO;
}

/// HDF5 prints its error stack by default; ours goes into exceptions. The setting is per thread. As to locks,
/// the environment takes precedence over access properties, and is read when libhdf5 is first used.
void prepare() {
  static const int unlocked = setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
  static_cast<void>(unlocked);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

std::recursive_mutex& one_at_a_time() {
  static std::recursive_mutex mutex;
  return mutex;
}

}  // namespace

File::File(Path path) : turn_(one_at_a_time()), path_(std::move(path)) { prepare(); }

Id File::check(Id result, const std::string& doing, std::source_location at) const {
  if (result >= 0) return result;
  const std::string reason = innermost_reason();
  throw FileError(doing + " in " + path_.string() + ": HDF5 says \"" + reason + "\"; is the disk full?",
                  code_in(reason), at);
}

namespace {

/// Access properties of every file: no locking (Lustre mounts refuse it), and nothing survives a close.
hid_t plain_access() {
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
#if H5_VERSION_GE(1, 10, 7)
  H5Pset_file_locking(access, false, true);
#endif
  return access;
}

}  // namespace

File File::create(const Path& path, std::uint64_t aligned_bytes) {
  File file(path);
  const Handle access = file.own(plain_access(), H5Pclose, "making access properties");
  file.check(H5Pset_libver_bounds(access.id(), H5F_LIBVER_V110, H5F_LIBVER_V110),
             "setting the format version");
  file.check(H5Pset_alignment(access.id(), std::max<std::uint64_t>(1, aligned_bytes), kAlignment),
             "aligning");
  const Handle creation = file.own(H5Pcreate(H5P_FILE_CREATE), H5Pclose, "making creation properties");
  // Without this the root group's header holds the time of day, and equal packs differ.
  file.check(H5Pset_obj_track_times(creation.id(), false), "switching times off");
  // All attributes stay in the root's object header, which is easier to specify than a heap.
  file.check(H5Pset_attr_phase_change(creation.id(), 64, 0), "keeping attributes compact");
  file.file_ = file.own(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.id(), access.id()), H5Fclose,
                        "creating the file");
  return file;
}

void File::make_group(const std::string& name) {
  const Handle creation = own(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, "making group properties");
  check(H5Pset_obj_track_times(creation.id(), false), "switching times off");
  own(H5Gcreate2(file_.id(), name.c_str(), H5P_DEFAULT, creation.id(), H5P_DEFAULT), H5Gclose,
      "making group " + name);
}

Handle File::dataset(const std::string& name) const {
  return own(H5Dopen2(file_.id(), name.c_str(), H5P_DEFAULT), H5Dclose, "opening " + name);
}

Handle File::create_dataset(const std::string& name, Id type, std::uint64_t count, bool early) {
  const hsize_t extent = count;
  const Handle space = own(H5Screate_simple(1, &extent, nullptr), H5Sclose, "making the shape of " + name);
  const Handle creation = own(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "making properties of " + name);
  check(H5Pset_obj_track_times(creation.id(), false), "switching times off");
  check(H5Pset_layout(creation.id(), H5D_CONTIGUOUS), "choosing the layout of " + name);
  arrays_.push_back(name);
  if (early) {
    check(H5Pset_alloc_time(creation.id(), H5D_ALLOC_TIME_EARLY), "allocating " + name);
    check(H5Pset_fill_time(creation.id(), H5D_FILL_TIME_NEVER), "not filling " + name);
  }
  return own(H5Dcreate2(file_.id(), name.c_str(), type, space.id(), H5P_DEFAULT, creation.id(), H5P_DEFAULT),
             H5Dclose, "creating " + name);
}

void File::write_raw(const std::string& name, Type type, std::uint64_t count, const void* values) {
  const Handle set = create_dataset(name, file_type(type), count, false);
  if (count > 0)
    check(H5Dwrite(set.id(), memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, values), "writing " + name);
}

void File::write_texts(const std::string& name, const std::vector<std::string>& texts) {
  std::size_t width = 1;
  for (const auto& text : texts) width = std::max(width, text.size());
  std::vector<char> padded(texts.size() * width, '\0');
  for (std::size_t i = 0; i < texts.size(); ++i)
    std::memcpy(padded.data() + i * width, texts[i].data(), texts[i].size());
  const Handle type = own(H5Tcopy(H5T_C_S1), H5Tclose, "making a text type");
  check(H5Tset_size(type.id(), width), "sizing a text type");
  check(H5Tset_cset(type.id(), H5T_CSET_UTF8), "choosing UTF-8");
  check(H5Tset_strpad(type.id(), H5T_STR_NULLPAD), "choosing padding");
  const Handle set = create_dataset(name, type.id(), texts.size(), false);
  if (!texts.empty())
    check(H5Dwrite(set.id(), type.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, padded.data()), "writing " + name);
}

void File::make_blob(const std::string& name, std::uint64_t bytes) {
  create_dataset(name, H5T_STD_U8LE, bytes, true);
  unsealed_ = name;
}

void File::write_bytes(const std::string& name, std::uint64_t offset, Bytes bytes) {
  if (bytes.empty()) return;
  const Handle set = dataset(name);
  const Handle space = own(H5Dget_space(set.id()), H5Sclose, "reading the shape of " + name);
  const hsize_t start = offset, count = bytes.size();
  check(H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, &start, nullptr, &count, nullptr),
        "selecting in " + name);
  const Handle memory = own(H5Screate_simple(1, &count, nullptr), H5Sclose, "making a buffer's shape");
  check(H5Dwrite(set.id(), H5T_NATIVE_UINT8, memory.id(), space.id(), H5P_DEFAULT, bytes.data()),
        "writing " + name);
}

FileRange File::place(const std::string& name) const {
  const Handle set = dataset(name);
  const haddr_t offset = H5Dget_offset(set.id());
  const hsize_t bytes = H5Dget_storage_size(set.id());
  if (offset == HADDR_UNDEF || bytes == 0) return {};
  return {.offset = offset, .bytes = bytes};
}

void File::write_attribute(const std::string& name, std::uint64_t value) {
  const Handle space = own(H5Screate(H5S_SCALAR), H5Sclose, "making a scalar");
  const Handle attribute =
      own(H5Acreate2(file_.id(), name.c_str(), H5T_STD_U64LE, space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
          "making attribute " + name);
  check(H5Awrite(attribute.id(), H5T_NATIVE_UINT64, &value), "writing attribute " + name);
}

void File::write_attribute(const std::string& name, const std::string& value) {
  if (value.size() > kLongestAttribute)
    throw ConfigError("writing " + path_.string() + ": " + name + " is a text of " +
                      std::to_string(value.size()) + " bytes, but HDF5 attributes hold at most " +
                      std::to_string(kLongestAttribute) + "; give a shorter one");
  const Handle space = own(H5Screate(H5S_SCALAR), H5Sclose, "making a scalar");
  const Handle type = own(H5Tcopy(H5T_C_S1), H5Tclose, "making a text type");
  check(H5Tset_size(type.id(), std::max<std::size_t>(1, value.size())), "sizing a text type");
  check(H5Tset_cset(type.id(), H5T_CSET_UTF8), "choosing UTF-8");
  check(H5Tset_strpad(type.id(), H5T_STR_NULLPAD), "choosing padding");
  const Handle attribute =
      own(H5Acreate2(file_.id(), name.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose,
          "making attribute " + name);
  check(H5Awrite(attribute.id(), type.id(), value.empty() ? "\0" : value.data()),
        "writing attribute " + name);
}

void File::flush() { check(H5Fflush(file_.id(), H5F_SCOPE_LOCAL), "flushing"); }

void File::close() {
  const FileRange unsealed = unsealed_.empty() ? FileRange{} : place(unsealed_);
  std::vector<FileRange> places;
  for (const auto& name : arrays_) places.push_back(place(name));
  check(H5Fclose(file_.release()), "closing");
  const Seal seal = append_seal(real_files(), path_, unsealed);
  // Another version of libhdf5 may write structures that this program does not read.
  const Layout layout = read_layout(InputFile(path_), seal.file_bytes - kSealBytes);
  bool same = layout.arrays.size() == arrays_.size();
  for (std::size_t i = 0; same && i < arrays_.size(); ++i) {
    const auto found = layout.arrays.find(arrays_[i]);
    same = found != layout.arrays.end() && found->second.offset == places[i].offset &&
           found->second.bytes() == places[i].bytes;
  }
  if (!same)
    throw Error("writing " + path_.string() +
                ": this version of libhdf5 lays files out in a way that this program does not know");
}

void sync(FileSystem& files, const Path& path) {
  auto file = files.open_append(path);
  file->sync();
  file->close();
}

void publish(FileSystem& files, const Path& temporary, const Path& final) {
  sync(files, temporary);
  files.rename(temporary, final);
  files.sync_folder(final.parent_path());
}

std::string version() {
  unsigned major = 0, minor = 0, release = 0;
  H5get_libversion(&major, &minor, &release);
  return fmt::format("{}.{}.{}", major, minor, release);
}

}  // namespace facemae::hdf5
