#include "checkpoint/pytorch/torch_archive.h"

#include <zip.h>

#include <algorithm>
#include <cstring>

#include "core/error.h"
#include "core/log.h"

namespace facemae {
namespace {

constexpr std::string_view kPickle = "/data.pkl";
constexpr const char* kSaveAnew =
    "PyTorch writes it anew: torch.save(torch.load(\"OLD\", map_location=\"cpu\", weights_only=True), \"NEW\")";

struct ZipFailure {
  ZipFailure() { zip_error_init(&error); }
  ~ZipFailure() { zip_error_fini(&error); }
  ZipFailure(const ZipFailure&) = delete;
  ZipFailure& operator=(const ZipFailure&) = delete;
  zip_error_t error;
};

}  // namespace

TorchArchive::TorchArchive(const Path& path) : name_(path.string()), zip_(nullptr, zip_discard) {
  bytes_ = InputFile(path).size();
  ZipFailure failure;
  open(zip_source_file_create(path.c_str(), 0, -1, &failure.error), failure.error);
  read_content();
}

TorchArchive::TorchArchive(std::string_view bytes, std::string name)
    : name_(std::move(name)), bytes_(bytes.size()), zip_(nullptr, zip_discard) {
  ZipFailure failure;
  open(zip_source_buffer_create(bytes.data(), bytes.size(), 0, &failure.error), failure.error);
  read_content();
}

TorchArchive::~TorchArchive() = default;

void TorchArchive::refuse(const std::string& found) const {
  throw DataError(fmt::format("reading {}: {}", name_, found));
}

void TorchArchive::fail(const zip_error_t& error, const std::string& what) const {
  zip_error_t copy = error;
  const int kind = zip_error_code_zip(&copy);
  if (kind == ZIP_ER_READ || kind == ZIP_ER_SEEK || kind == ZIP_ER_OPEN)
    throw FileError(fmt::format("reading {}: {}", name_, std::strerror(zip_error_code_system(&copy))),
                    zip_error_code_system(&copy));
  refuse(what);
}

void TorchArchive::open(zip_source_t* source, zip_error_t& error) {
  if (source != nullptr) zip_.reset(zip_open_from_source(source, ZIP_RDONLY, &error));
  if (source != nullptr && zip_ == nullptr) zip_source_free(source);
  const std::string damaged =
      "the directory at the end of the zip archive is missing or damaged: fetch the file again";
  if (zip_ == nullptr) fail(error, damaged);
  if (bytes_ == 0) refuse(damaged);  // libzip takes no bytes for an empty zip
}

void TorchArchive::read_content() {
  const auto count = static_cast<std::uint64_t>(std::max<zip_int64_t>(0, zip_get_num_entries(zip_.get(), 0)));
  for (std::uint64_t i = 0; i < count; ++i) {
    const char* name = zip_get_name(zip_.get(), i, ZIP_FL_ENC_RAW);
    if (name == nullptr)
      refuse(fmt::format("member {} of the zip archive has no name: fetch the file again", i));
    if (!index_.emplace(name, i).second)
      refuse(fmt::format("it has two members {}: fetch the file again", name));
  }
  folder_ = folder_of_pickle();
  const auto code = index_.lower_bound(folder_ + "code/");
  if (index_.contains(folder_ + "constants.pkl") ||
      (code != index_.end() && code->first.starts_with(folder_ + "code/")))
    refuse(
        "it is a TorchScript program (torch.jit.save), not a file of weights. PyTorch takes the weights out: "
        "torch.save(torch.jit.load(\"OLD\", map_location=\"cpu\").state_dict(), \"NEW\")");
  if (index_.contains(folder_ + "byteorder"))
    if (const std::string order = text(folder_ + "byteorder"); order != "little")
      refuse(fmt::format("member {}byteorder says \"{}\": only little-endian files are read. {}", folder_,
                         order.substr(0, 20), kSaveAnew));
  pickle_ = text(folder_ + "data.pkl");
  content_ = read_torch_pickle(pickle_, name_);
}

/// What all members begin with, "archive/".
std::string TorchArchive::folder_of_pickle() const {
  std::string folder;
  for (const auto& [name, at] : index_) {
    if (!name.ends_with(kPickle) || std::count(name.begin(), name.end(), '/') != 1) continue;
    if (!folder.empty()) refuse("it has several members data.pkl, so it is no file of torch.save");
    folder = name.substr(0, name.size() - kPickle.size() + 1);
  }
  if (folder.empty())
    refuse(
        "it has no member NAME/data.pkl: it is a zip archive of something else, which may hold the file of weights");
  return folder;
}

const TorchArchive::Member& TorchArchive::member(const std::string& name, std::string_view what) {
  if (const auto known = members_.find(name); known != members_.end()) return known->second;
  const auto found = index_.find(name);
  if (found == index_.end())
    refuse(fmt::format("member {}, {}, is missing: fetch the file again", name, what));
  zip_stat_t stat;
  if (zip_stat_index(zip_.get(), found->second, 0, &stat) != 0)
    refuse(fmt::format("member {}: {}; fetch the file again", name, zip_strerror(zip_.get())));
  if (stat.encryption_method != ZIP_EM_NONE) refuse(fmt::format("member {} is encrypted", name));
  if (stat.comp_method != ZIP_CM_STORE)
    refuse(fmt::format(
        "member {} is compressed, which torch.save never does: unpack the archive and pack it again "
        "without compression (zip -0 -r NEW.pt FOLDER)",
        name));
  // Members may overlap in a file that was made to fill the memory.
  if (stat.size > bytes_ || stat.comp_size != stat.size || stat.size > bytes_ - claimed_)
    refuse(fmt::format("member {} says that it has {} bytes, more than the file: fetch it again", name,
                       stat.size));
  claimed_ += stat.size;
  return members_.emplace(name, Member{found->second, stat.size}).first->second;
}

void TorchArchive::read(const std::string& name, const Member& member, std::span<std::byte> out) {
  constexpr std::size_t kPiece = 64 << 20;
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(zip_fopen_index(zip_.get(), member.index, 0),
                                                               zip_fclose);
  if (!file)
    fail(*zip_get_error(zip_.get()),
         fmt::format("member {}: {}; fetch the file again", name, zip_strerror(zip_.get())));
  std::size_t done = 0;
  std::byte beyond{};
  for (;;) {  // its CRC is compared at its end
    const auto rest = out.subspan(done, std::min(kPiece, out.size() - done));
    const zip_int64_t got =
        rest.empty() ? zip_fread(file.get(), &beyond, 1) : zip_fread(file.get(), rest.data(), rest.size());
    if (got < 0)
      fail(*zip_file_get_error(file.get()), fmt::format("member {} is damaged ({}): fetch the file again",
                                                        name, zip_file_strerror(file.get())));
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
    if (done > out.size()) break;
  }
  if (done != out.size()) refuse(fmt::format("member {} does not end after its {} bytes", name, out.size()));
}

std::string TorchArchive::text(const std::string& name) {
  const Member& found = member(name, "which every file of torch.save has");
  std::string bytes(found.bytes, '\0');
  read(name, found, std::as_writable_bytes(std::span(bytes)));
  return bytes;
}

std::uint64_t TorchArchive::bytes_of(const TorchStorage& storage) {
  const std::string name = fmt::format("{}data/{}", folder_, storage.key);
  const Member& found = member(name, "in which a tensor lies");
  const std::uint64_t width = width_of_type(storage.type);
  if (found.bytes % width != 0 || found.bytes / width != storage.values)
    refuse(fmt::format("member {} has {} bytes, but {} values of {} are {} bytes each: fetch the file again",
                       name, found.bytes, storage.values, storage.type, width));
  return found.bytes;
}

void TorchArchive::read(const TorchStorage& storage, std::span<std::byte> out) {
  const std::string name = fmt::format("{}data/{}", folder_, storage.key);
  read(name, member(name, "in which a tensor lies"), out);
}

bool begins_torch_archive(std::string_view head) {
  constexpr std::size_t kFixed = 30, kNameLength = 26;
  if (!head.starts_with("PK\3\4") || head.size() < kFixed) return false;
  const auto low = static_cast<unsigned char>(head[kNameLength]),
             high = static_cast<unsigned char>(head[kNameLength + 1]);
  const auto first = head.substr(kFixed, std::size_t{low} | std::size_t{high} << 8);
  constexpr std::string_view known[] = {"/data.pkl",  "/constants.pkl",   "/version",
                                        "/byteorder", "/.format_version", "/.storage_alignment"};
  return first.find("/data/") != first.npos || first.find("/code/") != first.npos ||
         std::any_of(std::begin(known), std::end(known), [&](auto name) { return first.ends_with(name); });
}

bool is_torch_archive(const Path& path) {
  constexpr std::uint64_t kHead = 512;
  try {
    const InputFile file(path);
    std::string head(std::min(file.size(), kHead), '\0');
    file.read_at(0, std::as_writable_bytes(std::span(head)));
    return begins_torch_archive(head);
  } catch (const FileError&) {  // whoever reads it in full tells
    return false;
  }
}

}  // namespace facemae
