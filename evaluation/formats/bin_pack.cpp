#include "evaluation/formats/bin_pack.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/error.h"
#include "core/log.h"
#include "evaluation/formats/pack_pickle.h"

namespace facemae {

using Kind = PickleValue::Kind;

namespace {

// A pack may hold one image object in several pairs; a hostile one could hold a large
// object millions of times.
constexpr std::uint64_t kMaxGrowth = 32;

std::vector<std::byte> encoded_image(const PickleValue& value, std::size_t number) {
  const auto refuse = [&](const std::string& found) {
    refuse_pack(value.offset, fmt::format("image {} of pair {} (from 0) {}", number, number / 2, found));
  };
  std::optional<std::string> letters;
  if (value.kind == Kind::Text) {
    letters = latin1_bytes(value.bytes);
    if (!letters) refuse("is a text with letters that are no bytes");
  } else if (value.kind != Kind::ByteString && !(value.kind == Kind::Array && value.type == "u1")) {
    refuse("is " + Pickle::name_of(value.kind) + " where an encoded image should be");
  }
  const std::string_view bytes = letters ? *letters : value.bytes;
  if (bytes.empty()) refuse("has no bytes");
  const auto* first = reinterpret_cast<const std::byte*>(bytes.data());
  return {first, first + bytes.size()};
}

template <class T>
double value_at(std::string_view raw, std::size_t i) {
  T value;
  std::memcpy(&value, raw.data() + i * sizeof value, sizeof value);
  return static_cast<double>(value);
}

/// The numbers of a numpy array.
std::vector<double> numbers(const PickleValue& array) {
  using Read = double (*)(std::string_view, std::size_t);
  static constexpr std::array<std::pair<std::string_view, Read>, 11> types = {{
      {"b1", value_at<std::uint8_t>},
      {"u1", value_at<std::uint8_t>},
      {"u2", value_at<std::uint16_t>},
      {"u4", value_at<std::uint32_t>},
      {"u8", value_at<std::uint64_t>},
      {"i1", value_at<std::int8_t>},
      {"i2", value_at<std::int16_t>},
      {"i4", value_at<std::int32_t>},
      {"i8", value_at<std::int64_t>},
      {"f4", value_at<float>},
      {"f8", value_at<double>},
  }};
  const auto* const found =
      std::find_if(types.begin(), types.end(), [&](const auto& type) { return type.first == array.type; });
  if (found == types.end()) refuse_pack(array.offset, "a numpy array without values");
  const auto width = static_cast<std::size_t>(array.type.back() - '0');
  std::vector<double> out;
  for (std::size_t i = 0; i < array.bytes.size() / width; ++i) out.push_back(found->second(array.bytes, i));
  return out;
}

char answer(double value, std::size_t number, std::uint64_t offset) {
  if (value != 0 && value != 1)
    refuse_pack(offset, fmt::format("answer {} (from 0) is {}, expected 0 or 1", number, value));
  return value == 1 ? 1 : 0;
}

std::vector<char> answers(const Pickle& pickle, const PickleValue& same) {
  std::vector<char> out;
  if (same.kind == Kind::Array) {
    for (const double value : numbers(same)) out.push_back(answer(value, out.size(), same.offset));
    return out;
  }
  if (same.kind != Kind::List && same.kind != Kind::Tuple)
    refuse_pack(same.offset, Pickle::name_of(same.kind) + " where the list of answers should be");
  for (const auto item : same.items) {
    const auto& given = pickle.at(item);
    if (given.kind == Kind::Bool || given.kind == Kind::Int) {
      out.push_back(answer(static_cast<double>(given.number), out.size(), given.offset));
    } else if (given.kind == Kind::Float) {
      out.push_back(answer(given.real, out.size(), given.offset));
    } else if (given.kind == Kind::Array && given.bytes.size() <= 8 && numbers(given).size() == 1) {
      out.push_back(answer(numbers(given)[0], out.size(), given.offset));
    } else {
      refuse_pack(given.offset, fmt::format("answer {} (from 0) is {}, expected a bool, or 0 or 1",
                                            out.size(), Pickle::name_of(given.kind)));
    }
  }
  return out;
}

/// What a file with this beginning is, when people take it for a pack; "" otherwise.
std::string mistaken_for_a_pack(std::string_view bytes) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> known = {{
      {"version https://git-lfs", "a pointer of Git LFS, not the pack: `git lfs pull` fetches it"},
      {"<!", "a web page, not the pack: download it again"},
      {"<html", "a web page, not the pack: download it again"},
      {"\x1f\x8b", "compressed by gzip: unpack it first"},
      {"PK\x03\x04", "a zip archive: unpack it first"},
      {"\x93NUMPY", "an array of numpy, not a pack"},
  }};
  if (bytes.empty()) return "empty: copy it again";
  for (const auto& [start, what] : known)
    if (bytes.starts_with(start)) return std::string(what);
  return "";
}

}  // namespace

BinPack parse_bin_pack(std::string_view bytes) {
  const Pickle pickle = read_pack_pickle(bytes);
  const auto& root = pickle.root();
  if ((root.kind != Kind::Tuple && root.kind != Kind::List) || root.items.size() != 2)
    refuse_pack(root.offset, fmt::format("{} of {} values where a pair (images, answers) should be",
                                         Pickle::name_of(root.kind), root.items.size()));
  const auto& images = pickle.at(root.items[0]);
  if (images.kind != Kind::List && images.kind != Kind::Tuple)
    refuse_pack(images.offset, Pickle::name_of(images.kind) + " where the list of images should be");

  BinPack pack;
  pack.same = answers(pickle, pickle.at(root.items[1]));
  if (images.items.size() != 2 * pack.same.size())
    refuse_pack(images.offset,
                fmt::format("{} images for {} answers: each pair has two images and one answer",
                            images.items.size(), pack.same.size()));
  std::uint64_t total = 0;
  for (const auto item : images.items) {
    total += pickle.at(item).bytes.size();
    if (total > kMaxGrowth * bytes.size())
      refuse_pack(pickle.at(item).offset,
                  fmt::format("the images unfold to more than {} times the file", kMaxGrowth));
    pack.images.push_back(encoded_image(pickle.at(item), pack.images.size()));
  }
  return pack;
}

BinPack read_bin_pack(const Path& path) {
  const std::string bytes = read_file(path);
  if (const auto what = mistaken_for_a_pack(bytes); !what.empty())
    throw DataError("the verification pack " + path.string() + " is " + what);
  try {
    return parse_bin_pack(bytes);
  } catch (const DataError& error) {
    throw DataError(path.string() + ": " + error.what());
  }
}

}  // namespace facemae
