// Times the loader against bare TurboJPEG decoding of the same images in a loop, both over a store in the
// page cache. Prints images per second.
#include "data/loader.h"

#include <turbojpeg.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "data/store.h"

namespace {

using namespace facemae;

/// Every image once, decoded by one handle into one buffer.
void bare(const Store& store, std::uint64_t images) {
  std::vector<std::vector<std::byte>> encoded(store.size());
  for (std::uint64_t row = 0; row < store.size(); ++row) store.read(row, encoded[row]);
  const tjhandle handle = tjInitDecompress();
  std::vector<unsigned char> pixels(112 * 112 * 3);
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t i = 0; i < images; ++i) {
    const auto& jpeg = encoded[i % store.size()];
    tjDecompress2(handle, reinterpret_cast<const unsigned char*>(jpeg.data()), jpeg.size(), pixels.data(),
                  112, 0, 112, TJPF_RGB, 0);
  }
  std::printf("%.1f\n", static_cast<double>(images) /
                            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  tjDestroy(handle);
}

void loaded(const std::shared_ptr<const Store>& store, std::uint64_t images, int threads) {
  constexpr std::uint64_t batch = 64;
  Loader loader(store, Order(store->size(), 1), {.global_batch = batch}, 0, 0,
                {.threads = threads, .ahead = 2});
  std::unique_ptr<ByteBatch> bytes;
  for (int warm = 0; warm < 4; ++warm) bytes = loader.next(std::move(bytes));
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t done = 0; done < images; done += batch) bytes = loader.next(std::move(bytes));
  std::printf("%.1f\n", static_cast<double>(images) /
                            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: bench_loader bare|THREADS STORE IMAGES\n");
    return 2;
  }
  const auto store = Store::open(argv[2]);
  const auto images = std::strtoull(argv[3], nullptr, 10);
  if (std::strcmp(argv[1], "bare") == 0) {
    bare(*store, images);
  } else {
    loaded(store, images, std::atoi(argv[1]));
  }
  return 0;
}
