#include "data/pack/pack_check.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "core/files/patience.h"
#include "core/log.h"
#include "data/image/jpeg_markers.h"
#include "data/image/orientation.h"
#include "data/image/resize.h"

namespace facemae {
namespace {

PreparedImage rejected(const std::string& kind, const std::string& why) { return {{}, 0, kind + ": " + why}; }

}  // namespace

std::string kind_of_reject(const std::string& reason) { return reason.substr(0, reason.find(':')); }

PreparedImage ImageChecker::check(std::vector<std::byte> encoded) {
  PreparedImage image{std::move(encoded), 0, ""};
  try {
    auto header = decoder_.check(image.bytes, image_size_, image_size_);
    const bool fits = header.width == image_size_ && header.height == image_size_,
               held = header.codec == Codec::Jpeg || header.codec == Codec::Png;
    if (!fits && !resize_)
      return rejected("another size", fmt::format("{} x {} pixels, expected {} x {}", header.width,
                                                  header.height, image_size_, image_size_));
    const int orientation = orientation_of(image.bytes);
    if (fits && held && orientation == 1) {
      image.flags = encoding_flags(image.bytes);
      return image;
    }
    if (fits && held && !resize_)
      return rejected(
          "not upright",
          fmt::format("its EXIF orientation is {}, and images of the right size are kept as they "
                      "are; --resize turns it upright (encodes it again), or turn the file itself "
                      "by exiftran -ai or mogrify -auto-orient",
                      orientation));
    header.lossless |= fits && !held;  // of the right size: nothing may get lost
    make_again(image, header);
  } catch (const DataError& error) {
    return rejected("does not decode", error.what());
  }
  return image;
}

std::vector<std::byte> read_entry(const ImageSource& source, std::uint64_t entry,
                                  const ReadPolicy& patience) {
  try {
    return patiently(patience, "packing", [&] { return source.read(entry); });
  } catch (const FileError& error) {
    if (!error.may_pass()) throw DataError(error.what());
    throw FileError(
        fmt::format(
            "packing: {} cannot be read: {}; "
            "the storage fails, which says nothing about the image: run the same command again once it works (remove an image that it has lost for good from the source)",
            source.name(entry), error.what()),
        error.code());
  }
}

PreparedImage ImageChecker::read(const ImageSource& source, std::uint64_t entry, const ReadPolicy& patience) {
  try {
    return check(read_entry(source, entry, patience));
  } catch (const DataError& error) {
    return rejected("cannot be read", error.what());
  }
}

void ImageChecker::make_again(PreparedImage& image, const Decoder::Header& source) {
  image.bytes = encode_again(fit_square(decoder_.decode_upright(image.bytes), image_size_), source);
  image.flags = static_cast<std::uint8_t>(encoding_flags(image.bytes) | kFlagReencoded);
}

std::vector<PreparedImage> check_entries(const ImageSource& source, const std::vector<std::uint64_t>& entries,
                                         int image_size, bool resize, int threads, const ReadPolicy& patience,
                                         const std::function<bool(std::uint64_t)>& after_each) {
  std::vector<PreparedImage> images(entries.size());
  std::atomic<std::size_t> next{0}, done{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&](const std::function<bool()>& go_on) {
    try {
      ImageChecker checker(image_size, resize);
      for (std::size_t i; (i = next.fetch_add(1)) < entries.size();) {
        images[i] = checker.read(source, entries[i], patience);
        done.fetch_add(1);
        if (!go_on()) next = entries.size();
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      next = entries.size();
    }
  };
  std::size_t reported = 0;
  const auto report = [&] {
    const std::size_t now = done.load(), fresh = now - reported;
    reported = now;
    return after_each(fresh);
  };
  {
    std::vector<std::jthread> helpers;
    for (int t = 1; t < threads; ++t) helpers.emplace_back([&] { work([] { return true; }); });
    work(report);
  }
  if (failure) std::rethrow_exception(failure);
  report();
  return images;
}

}  // namespace facemae
