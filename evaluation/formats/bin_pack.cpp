#include "evaluation/formats/bin_pack.h"

#include "core/error.h"
#include "core/log.h"
#include "evaluation/formats/pickle.h"

namespace facemae {

using Kind = PickleValue::Kind;

namespace {

// A pack may hold one image object in several pairs; a hostile one could hold a large
// object millions of times.
constexpr std::uint64_t kMaxGrowth = 32;

std::vector<std::byte> encoded_image(const PickleValue& value) {
  if (value.kind != Kind::ByteString && !(value.kind == Kind::Array && value.type == "u1"))
    refuse_pickle(value.offset, Pickle::name_of(value.kind) + " where an encoded image should be");
  if (value.bytes.empty()) refuse_pickle(value.offset, "an image of no bytes");
  const auto* first = reinterpret_cast<const std::byte*>(value.bytes.data());
  return {first, first + value.bytes.size()};
}

std::vector<char> answers(const Pickle& pickle, const PickleValue& same) {
  std::vector<char> out;
  if (same.kind == Kind::Array && same.type == "b1") {
    for (const char answer : same.bytes) out.push_back(answer != 0);
    return out;
  }
  if (same.kind != Kind::List && same.kind != Kind::Tuple)
    refuse_pickle(same.offset, Pickle::name_of(same.kind) + " where the list of answers should be");
  for (const auto item : same.items) {
    const auto& answer = pickle.at(item);
    if (answer.kind != Kind::Bool &&
        !(answer.kind == Kind::Int && (answer.number == 0 || answer.number == 1)))
      refuse_pickle(answer.offset, Pickle::name_of(answer.kind) + " where an answer, yes or no, should be");
    out.push_back(answer.number != 0);
  }
  return out;
}

}  // namespace

BinPack parse_bin_pack(std::string_view bytes) {
  const Pickle pickle(bytes);
  const auto& root = pickle.root();
  if ((root.kind != Kind::Tuple && root.kind != Kind::List) || root.items.size() != 2)
    refuse_pickle(root.offset, fmt::format("{} of {} values where a pair (images, answers) should be",
                                           Pickle::name_of(root.kind), root.items.size()));
  const auto& images = pickle.at(root.items[0]);
  if (images.kind != Kind::List && images.kind != Kind::Tuple)
    refuse_pickle(images.offset, Pickle::name_of(images.kind) + " where the list of images should be");

  BinPack pack;
  pack.same = answers(pickle, pickle.at(root.items[1]));
  if (images.items.size() != 2 * pack.same.size())
    refuse_pickle(images.offset,
                  fmt::format("{} images for {} pairs", images.items.size(), pack.same.size()));
  std::uint64_t total = 0;
  for (const auto item : images.items) {
    total += pickle.at(item).bytes.size();
    if (total > kMaxGrowth * bytes.size())
      refuse_pickle(pickle.at(item).offset,
                    fmt::format("the images unfold to more than {} times the file", kMaxGrowth));
    pack.images.push_back(encoded_image(pickle.at(item)));
  }
  return pack;
}

BinPack read_bin_pack(const Path& path) {
  const std::string bytes = read_file(path);
  try {
    return parse_bin_pack(bytes);
  } catch (const DataError& error) {
    throw DataError(path.string() + ": " + error.what());
  }
}

}  // namespace facemae
