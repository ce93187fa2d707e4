#include "data/source/catalogue.h"

#include <cstddef>
#include <cstring>

#include "core/error.h"
#include "core/files/array.h"
#include "core/log.h"
#include "data/formats/value_at.h"

namespace facemae {
namespace {

constexpr const char* kRemedy = "a start of the same command lists the images again";

/// Do the places of the parts of the file follow from its counts?
bool is_consistent(const catalogue_file::End& end, std::uint64_t bytes) {
  const catalogue_file::End known;
  if (std::memcmp(end.magic, known.magic, sizeof end.magic) != 0 || end.version != known.version)
    return false;
  const std::uint64_t indexed = (end.entries + catalogue_file::kIndexed - 1) / catalogue_file::kIndexed;
  return end.end_at == bytes - sizeof end && end.index_at <= end.identities_at &&
         end.identities_at <= end.names_at && end.names_at <= end.parts_at &&
         end.parts_at <= end.request_at && end.request_at <= end.end_at &&
         (end.identities_at - end.index_at) / 8 == indexed &&
         (end.names_at - end.identities_at) / sizeof(catalogue_file::Identity) == end.identities &&
         end.identities <= end.entries;
}

}  // namespace

Catalogue::Catalogue(const Path& path) : path_(path) {
  const auto refuse = [&](const std::string& why) {
    throw DataError(fmt::format("the catalogue {} {}; {}", path.string(), why, kRemedy));
  };
  const std::uint64_t bytes = InputFile(path).size();
  if (bytes < sizeof end_) refuse("is too short to be one");
  file_ = map_file(path, 0, bytes);
  end_ = value<catalogue_file::End>(bytes - sizeof end_);
  if (!is_consistent(end_, bytes)) refuse("is damaged, or of another version");
  const Bytes checked =
      Bytes(file_.get(), bytes)
          .subspan(end_.parts_at, end_.end_at - end_.parts_at + offsetof(catalogue_file::End, own_digest));
  if (xxh128(checked) != end_.own_digest) refuse("is damaged");
  Listed listed;
  listed.request = text(end_.request_at, end_.end_at - end_.request_at);
  for (std::uint64_t at = end_.parts_at; listed.parts.size() < end_.parts;) {
    const auto part = value<catalogue_file::Part>(at);
    at += sizeof part;
    listed.parts.push_back({Path(text(at, part.path_bytes)), static_cast<ListedPart::Kind>(part.kind),
                            part.bytes, part.changed, part.images});
    at += part.path_bytes;
  }
  listed_ = std::make_shared<const Listed>(std::move(listed));
}

void Catalogue::verify() const {
  if (xxh128(Bytes(file_.get(), end_.parts_at)) != end_.body_digest)
    throw DataError(fmt::format("the catalogue {} is damaged; {}", path_.string(), kRemedy));
}

template <class T>
T Catalogue::value(std::uint64_t offset) const {
  return value_at<T>(Bytes(file_.get() + offset, sizeof(T)), 0);
}
std::string_view Catalogue::text(std::uint64_t offset, std::uint64_t bytes) const {
  return {reinterpret_cast<const char*>(file_.get()) + offset, bytes};
}

catalogue_file::Identity Catalogue::identity(std::uint64_t label) const {
  return value<catalogue_file::Identity>(end_.identities_at + label * sizeof(catalogue_file::Identity));
}
std::uint64_t Catalogue::first_entry(std::uint64_t label) const {
  return label < end_.identities ? identity(label).first_entry : end_.entries;
}

std::string_view Catalogue::identity_name(std::uint64_t label) const {
  if (label >= end_.identities) throw Error(fmt::format("a catalogue has no identity {}", label));
  const std::uint64_t begin = label == 0 ? 0 : identity(label - 1).name_end;
  return text(end_.names_at + begin, identity(label).name_end - begin);
}

std::int64_t Catalogue::label(std::uint64_t entry) const {
  std::uint64_t low = 0, high = end_.identities;  // the label is in [low, high)
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    (first_entry(middle) <= entry ? low : high) = middle;
  }
  return static_cast<std::int64_t>(low);
}

Catalogue::Found Catalogue::at(std::uint64_t entry) const {
  if (entry >= end_.entries) throw Error(fmt::format("a catalogue has no entry {}", entry));
  auto offset = value<std::uint64_t>(end_.index_at + entry / catalogue_file::kIndexed * 8);
  for (std::uint64_t left = entry % catalogue_file::kIndexed;; --left) {
    const auto head = value<catalogue_file::Entry>(offset);
    offset += sizeof head;
    if (left == 0) return {text(offset, head.image_bytes), head.part, head.place};
    offset += head.image_bytes;
  }
}

std::string Catalogue::name(std::uint64_t entry) const {
  const std::string_view identity = identity_name(static_cast<std::uint64_t>(label(entry)));
  return std::string(identity).append("/").append(image(entry));
}

std::optional<std::uint64_t> Catalogue::find(std::string_view identity, std::string_view image) const {
  /// The first number in [low, high) for which `before` is false.
  const auto search = [](std::uint64_t low, std::uint64_t high, const auto& before) {
    while (low < high) {
      const std::uint64_t middle = low + (high - low) / 2;
      if (before(middle))
        low = middle + 1;
      else
        high = middle;
    }
    return low;
  };
  const std::uint64_t label =
      search(0, identities(), [&](std::uint64_t number) { return identity_name(number) < identity; });
  if (label == identities() || identity_name(label) != identity) return std::nullopt;
  const std::uint64_t end = first_entry(label + 1);
  const std::uint64_t entry =
      search(first_entry(label), end, [&](std::uint64_t number) { return this->image(number) < image; });
  if (entry == end || this->image(entry) != image) return std::nullopt;
  return entry;
}

}  // namespace facemae
