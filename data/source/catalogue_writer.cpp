#include "data/source/catalogue_writer.h"

#include <algorithm>
#include <cstddef>

#include "core/error.h"
#include "core/files/array.h"
#include "core/files/scratch_file.h"
#include "core/log.h"
#include "data/formats/value_at.h"
#include "data/source/names_digest.h"
#include "data/source/pieces.h"

namespace facemae {
namespace {

/// A table that is made beside the entries and follows them in the file.
class Table {
 public:
  explicit Table(const Path& folder) : file_(folder), rows(real_files(), file_.path()) {}
  /// All of it; to be called once, at the end. Null if it is empty.
  std::shared_ptr<const std::byte> map() {
    rows.flush();
    return map_file(file_.path(), 0, rows.size());
  }

 private:
  ScratchFile file_;

 public:
  Pieces rows;
};

/// By the entries and the tables of identities and their names.
Hash128 digest_of_names(Bytes entries, std::uint64_t count, Bytes identities, const char* names) {
  const std::uint64_t people = identities.size() / sizeof(catalogue_file::Identity);
  const auto row = [&](std::uint64_t k) {
    return value_at<catalogue_file::Identity>(identities, k * sizeof(catalogue_file::Identity));
  };
  const auto name_of = [&](std::uint64_t k) {
    const std::uint64_t begin = k == 0 ? 0 : row(k - 1).name_end;
    return std::string_view(names + begin, row(k).name_end - begin);
  };
  NamesDigest digest(people);
  for (std::uint64_t k = 0; k < people; ++k) digest.identity(name_of(k));
  std::string name;
  std::size_t at = 0;
  for (std::uint64_t k = 0; k < people; ++k) {
    const std::string_view identity = name_of(k);
    const std::uint64_t end = k + 1 < people ? row(k + 1).first_entry : count;
    for (std::uint64_t entry = row(k).first_entry; entry < end; ++entry) {
      const auto head = value_at<catalogue_file::Entry>(entries, at);
      at += sizeof head;
      name.assign(identity).append("/");
      name.append(reinterpret_cast<const char*>(entries.data()) + at, head.image_bytes);
      at += head.image_bytes;
      digest.image(static_cast<std::int64_t>(k), name);
    }
  }
  return digest.digest();
}

void write_parts(Pieces& out, const Listed& listed, catalogue_file::End& end) {
  end.parts = listed.parts.size();
  end.parts_at = out.size();
  for (const ListedPart& part : listed.parts) {
    const std::string& text = part.path.native();
    out.add_value(catalogue_file::Part{part.bytes, part.images, part.changed,
                                       static_cast<std::uint32_t>(part.kind),
                                       static_cast<std::uint32_t>(text.size())});
    out.add(text);
  }
  end.request_at = out.size();
  out.add(listed.request);
}

}  // namespace

void CatalogueWriter::write(FileSystem& files, const Path& path) {
  Pieces out(files, path);
  Table index(scratch_), identities(scratch_), names(scratch_);
  catalogue_file::End end;
  std::string identity, image;  // of the entry before
  std::uint32_t part = 0;
  sorter_.merge([&](const NamedImage& next) {
    const bool fresh = end.entries == 0 || next.identity != identity;
    if (!fresh && next.image == image) {
      const auto [first, second] = std::minmax(part, next.part);
      throw DataError(
          fmt::format("two images have one name, {}/{}: one in {}, one in {}. "
                      "Sources that are given together are one set: rename one image, or leave one out",
                      identity, image, parts().at(first).path.string(), parts().at(second).path.string()));
    }
    if (fresh) {
      ++end.identities;
      identity = next.identity;
      names.rows.add(identity);
      identities.rows.add_value(catalogue_file::Identity{end.entries, names.rows.size()});
    }
    image = next.image;
    part = next.part;
    if (end.entries++ % catalogue_file::kIndexed == 0) index.rows.add_value(out.size());
    out.add_value(catalogue_file::Entry{next.place, part, static_cast<std::uint32_t>(image.size())});
    out.add(image);
  });
  end.index_at = out.size();
  out.flush();
  const auto entries = map_file(path, 0, out.size()), rows = identities.map(), texts = names.map();
  end.names_digest =
      digest_of_names({entries.get(), out.size()}, end.entries, {rows.get(), identities.rows.size()},
                      reinterpret_cast<const char*>(texts.get()));
  out.add({index.map().get(), index.rows.size()});
  end.identities_at = out.size();
  out.add({rows.get(), identities.rows.size()});
  end.names_at = out.size();
  out.add({texts.get(), names.rows.size()});
  end.body_digest = out.take_digest();
  write_parts(out, listed_, end);
  end.end_at = out.size();
  const Bytes last = std::as_bytes(std::span(&end, 1));
  constexpr std::size_t kBeforeOwn = offsetof(catalogue_file::End, own_digest);
  out.add(last.first(kBeforeOwn));
  end.own_digest = out.take_digest();
  out.add(last.subspan(kBeforeOwn));
  out.close();
}

}  // namespace facemae
