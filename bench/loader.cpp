// Times the loader against bare TurboJPEG decoding of the same images in a loop, both over a store in the
// page cache. Prints images per second, or the loader's shares of its threads' time.
#include "data/loader/loader.h"

#include <turbojpeg.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "core/random/keys.h"
#include "data/store/store.h"

namespace {

using namespace facemae;

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Every image once, decoded by one handle into one buffer.
void bare(const Store& store, std::uint64_t images, bool planes) {
  std::vector<std::vector<std::byte>> encoded(store.size());
  for (std::uint64_t row = 0; row < store.size(); ++row) store.read(row, encoded[row]);
  const tjhandle handle = tjInitDecompress();
  std::vector<unsigned char> pixels(112 * 112 * 3);
  std::array<unsigned char*, 3> plane{pixels.data(), pixels.data() + 112 * 112, pixels.data() + 112 * 140};
  const Stopwatch watch;
  for (std::uint64_t i = 0; i < images; ++i) {
    const auto& jpeg = encoded[i % store.size()];
    const auto* data = reinterpret_cast<const unsigned char*>(jpeg.data());
    if (planes)
      tjDecompressToYUVPlanes(handle, data, jpeg.size(), plane.data(), 112, nullptr, 112, 0);
    else
      tjDecompress2(handle, data, jpeg.size(), pixels.data(), 112, 0, 112, TJPF_RGB, 0);
  }
  std::printf("%.1f\n", static_cast<double>(images) / watch.seconds());
  tjDestroy(handle);
}

void loaded(const std::shared_ptr<const Store>& store, std::uint64_t images, const std::string& what,
            bool shares) {
  constexpr std::uint64_t batch = 64;
  LoaderConfig config{.threads = std::atoi(what.c_str()), .ahead = 2};
  if (what.ends_with("-yuv420")) config.sample.format = PixelFormat::Yuv420;
  if (what.ends_with("-adaface"))
    config.sample.augment = {.crop = 0.2, .low_resolution = 0.2, .photometric = 0.2};
  Loader loader(store, Order(store->size(), 1), {.global_batch = batch}, 0, 0, config);
  std::unique_ptr<ByteBatch> bytes;
  for (int warm = 0; warm < 4; ++warm) bytes = loader.next(std::move(bytes));
  loader.figures();
  const Stopwatch watch;
  for (std::uint64_t done = 0; done < images; done += batch) bytes = loader.next(std::move(bytes));
  const double seconds = watch.seconds();
  if (!shares) {
    std::printf("%.1f\n", static_cast<double>(images) / seconds);
    return;
  }
  const LoaderFigures f = loader.figures();
  const double busy = seconds * config.threads - f.full_seconds;
  std::printf("read %.2f %%, CRC-32C %.2f %%, decode %.1f %%, augment %.1f %% of the threads' time\n",
              100 * f.reads.read_seconds / busy, 100 * f.reads.crc_seconds / busy,
              100 * f.decode_seconds / busy, 100 * f.augment_seconds / busy);
}

/// Checked encoded images of random rows, not decoded.
void read(const Store& store, std::uint64_t images, int threads) {
  std::vector<std::thread> readers;
  readers.reserve(static_cast<std::size_t>(threads));
  const Stopwatch watch;
  for (int t = 0; t < threads; ++t)
    readers.emplace_back([&, t] {
      Draws draws(static_cast<std::uint64_t>(t));
      std::vector<std::byte> encoded;
      for (std::uint64_t i = 0; i < images / static_cast<std::uint64_t>(threads); ++i)
        store.read(draws.below(store.size()), encoded);
    });
  for (auto& reader : readers) reader.join();
  std::printf("%.1f\n", static_cast<double>(images) / watch.seconds());
}

}  // namespace

int main(int argc, char** argv) {
  const bool shares = argc == 5 && std::strcmp(argv[4], "shares") == 0;
  if (argc != 4 && !shares) {
    std::fprintf(
        stderr,
        "usage: bench_loader bare[-yuv420]|read-THREADS|THREADS[-yuv420|-adaface] STORE IMAGES [shares]\n");
    return 2;
  }
  const auto store = Store::open(argv[2]);
  const auto images = std::strtoull(argv[3], nullptr, 10);
  const std::string what = argv[1];
  if (what.starts_with("read-")) {
    read(*store, images, std::atoi(what.c_str() + 5));
  } else if (what.starts_with("bare")) {
    bare(*store, images, what.ends_with("-yuv420"));
  } else {
    loaded(store, images, what, shares);
  }
  return 0;
}
