#include "data/pack/pack_check.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "core/error.h"
#include "core/files/patience.h"
#include "core/log.h"
#include "data/image/jpeg_markers.h"

namespace facemae {
namespace {

constexpr int kReencodeQuality = 95;

/// The central square of an image: stretching would change the shape of faces.
Image centre_square(Image image) {
  if (image.width == image.height) return image;
  const int side = std::min(image.width, image.height);
  const auto left = static_cast<std::size_t>((image.width - side) / 2),
             top = static_cast<std::size_t>((image.height - side) / 2);
  const auto wide = static_cast<std::size_t>(side) * 3;
  Image square{side, side, {}};
  for (std::size_t y = 0; y < static_cast<std::size_t>(side); ++y) {
    const auto from =
        image.pixels.begin() +
        static_cast<std::ptrdiff_t>(((top + y) * static_cast<std::size_t>(image.width) + left) * 3);
    square.pixels.insert(square.pixels.end(), from, from + static_cast<std::ptrdiff_t>(wide));
  }
  return square;
}

PreparedImage rejected(const std::string& kind, const std::string& why) { return {{}, 0, kind + ": " + why}; }

}  // namespace

std::string kind_of_reject(const std::string& reason) { return reason.substr(0, reason.find(':')); }

PreparedImage ImageChecker::check(std::vector<std::byte> encoded) {
  PreparedImage image{std::move(encoded), 0, ""};
  try {
    const auto header = decoder_.check(image.bytes, image_size_, image_size_);
    if (header.width == image_size_ && header.height == image_size_) {
      image.flags = encoding_flags(image.bytes);
    } else if (resize_) {
      fit(image, header);
    } else {
      return rejected("another size", fmt::format("{} x {} pixels, expected {} x {}", header.width,
                                                  header.height, image_size_, image_size_));
    }
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

void ImageChecker::fit(PreparedImage& image, const Decoder::Header& header) {
  const Image fitted = resize(centre_square(decoder_.decode(image.bytes)), image_size_, image_size_);
  image.bytes = header.codec == Codec::Png ? encode_png(fitted) : encode_jpeg(fitted, kReencodeQuality);
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
