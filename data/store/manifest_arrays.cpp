#include "data/store/manifest_arrays.h"

#include <algorithm>

#include "core/error.h"
#include "core/files/temporary_file.h"
#include "data/hdf5/hdf5.h"

namespace facemae {
namespace {

constexpr const char* kIdentitiesFormat = "facemae-identities";
constexpr const char* kViewFormat = "facemae-view";
constexpr std::uint64_t kArraysVersion = 1;

/// Both files name the store that they belong to.
template <class Write>
void write_file(FileSystem& files, const Path& path, const char* format, const StoreManifest& manifest,
                Write write) {
  const TemporaryFile temporary(files, path);
  files.create(temporary.path())->close();
  auto file = hdf5::File::create(temporary.path());
  file.write_attribute("format", std::string(format));
  file.write_attribute("version", kArraysVersion);
  file.write_attribute("dataset_digest", manifest.dataset_digest.hex());
  write(file);
  file.close();
  hdf5::publish(files, temporary.path(), path);
}

hdf5::Reader open_file(const Path& path, const char* format, const StoreManifest& manifest,
                       SealCheck check = SealCheck::Hashed) {
  auto file = hdf5::Reader::open(path, check);
  if (!file.has_attribute("format") || file.read_text("format") != format)
    throw DataError(path.string() + " is an HDF5 file but does not have the format " + format);
  if (file.read_number("version") != kArraysVersion)
    throw DataError(path.string() +
                    " has another format version than this program reads: use a newer program");
  if (file.read_text("dataset_digest") != manifest.dataset_digest.hex())
    throw DataError(
        path.string() +
        " belongs to another store than the manifest beside it: copy the right one from a replica");
  return file;
}

bool divide(const Array<std::uint64_t>& offsets, std::size_t parts, std::size_t whole) {
  return !offsets.empty() && offsets.size() - 1 == parts && offsets.front() == 0 && offsets.back() == whole &&
         std::is_sorted(offsets.begin(), offsets.end());
}

/// Part `k` of `whole`. What was checked when it was mapped lies in a file, and a file can change.
std::pair<std::uint64_t, std::uint64_t> part_of(const Array<std::uint64_t>& offsets, std::size_t k,
                                                std::size_t whole) {
  const std::uint64_t begin = offsets[k], end = offsets[k + 1];
  if (begin > end || end > whole)
    throw DataError(std::string(kIdentitiesName) +
                    " has changed since it was opened: it is damaged or was overwritten; "
                    "run `facemae store verify`");
  return {begin, end};
}

}  // namespace

Identities Identities::read(const Path& folder, const StoreManifest& manifest) {
  const Path path = folder / kIdentitiesName;
  const auto file = open_file(path, kIdentitiesFormat, manifest);
  Identities all;
  all.count_ = manifest.identities;
  const auto count = static_cast<std::size_t>(manifest.identities);
  all.offsets_ = file.map_array<std::uint64_t>("/offset").aligned();
  all.rows_ = file.map_array<std::uint64_t>("/row").aligned();
  bool fits = divide(all.offsets_, count, all.rows_.size()) && all.rows_.size() <= manifest.images &&
              std::all_of(all.rows_.begin(), all.rows_.end(),
                          [&](std::uint64_t row) { return row < manifest.images; });
  if (file.has("/name")) {
    all.name_offsets_ = file.map_array<std::uint64_t>("/name_offset").aligned();
    all.names_ = file.map_array<std::uint8_t>("/name").aligned();
    fits = fits && divide(all.name_offsets_, count, all.names_.size());
  }
  if (!fits) throw DataError(path.string() + " contradicts the manifest beside it: make the store again");
  return all;
}

std::string Identities::name(std::int64_t label) const {
  if (label < 0 || label >= count_ || name_offsets_.empty()) return "";
  const auto k = static_cast<std::size_t>(label);
  const auto [begin, end] = part_of(name_offsets_, k, names_.size());
  return {reinterpret_cast<const char*>(names_.bytes().data()) + begin, end - begin};
}

std::span<const std::uint64_t> Identities::rows_of(std::int64_t label) const {
  if (label < 0 || label >= count_) return {};
  const auto k = static_cast<std::size_t>(label);
  const auto [begin, end] = part_of(offsets_, k, rows_.size());
  return rows_.span().subspan(begin, end - begin);
}

void write_manifest_arrays(FileSystem& files, const Path& folder, const StoreManifest& m) {
  write_file(files, folder / kIdentitiesName, kIdentitiesFormat, m, [&](hdf5::File& file) {
    file.write_array("/offset", m.identity_offsets.span());
    file.write_array("/row", m.identity_rows.span());
    if (m.identity_names.empty()) return;
    std::vector<std::uint64_t> offsets{0};
    std::vector<std::uint8_t> names;
    for (const auto& name : m.identity_names) {
      names.insert(names.end(), name.begin(), name.end());
      offsets.push_back(names.size());
    }
    file.write_array("/name_offset", offsets);
    file.write_array("/name", names);
  });
  if (m.kind != StoreManifest::Kind::View) return;
  write_file(files, folder / kViewName, kViewFormat, m, [&](hdf5::File& file) {
    file.write_array("/row", m.rows.span());
    file.write_array("/label", m.labels.span());
  });
}

void read_view(const Path& folder, StoreManifest& view, SealCheck check) {
  const auto file = open_file(folder / kViewName, kViewFormat, view, check);
  view.rows = file.map_array<std::uint64_t>("/row").aligned();
  view.labels = file.map_array<std::int64_t>("/label").aligned();
  if (view.rows.size() != view.images || view.labels.size() != view.images)
    throw DataError(file.path().string() +
                    " has other rows than the manifest beside it: make the view again");
}

}  // namespace facemae
