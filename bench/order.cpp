// Times an index of each order. Prints nanoseconds an index: the median of nine passes over `count`
// ordinals in sequence.
#include "data/order/order.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <vector>

namespace {

using namespace facemae;

double nanoseconds(const Order& order, std::uint64_t count) {
  std::vector<double> passes;
  std::uint64_t sum = 0;
  for (std::uint64_t pass = 0; pass < 9; ++pass) {
    const auto start = std::chrono::steady_clock::now();
    for (std::uint64_t i = 0; i < count; ++i) sum += order.row(pass * order.rows() / 3 + i);
    passes.push_back(
        std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() /
        static_cast<double>(count));
  }
  std::nth_element(passes.begin(), passes.begin() + 4, passes.end());
  return sum == 0 ? 0 : passes[4];  // the sum keeps the compiler from leaving the work out
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bench_order ROWS COUNT\n");
    return 2;
  }
  const std::uint64_t rows = std::strtoull(argv[1], nullptr, 10), count = std::strtoull(argv[2], nullptr, 10);
  constexpr std::uint64_t of_identity = 20;
  std::vector<std::uint64_t> images(of_identity);
  std::iota(images.begin(), images.end(), std::uint64_t{0});
  const IdentityRows identities{
      .count = static_cast<std::int64_t>(rows / of_identity),
      .rows_of = [&](std::int64_t) { return std::span<const std::uint64_t>(images); }};
  std::printf("uniform   %6.1f ns an index\n", nanoseconds(Order(rows, 1), count));
  for (const std::uint64_t lanes : {1024U, 1000U})
    std::printf("blocks    %6.1f ns an index, %llu lanes\n",
                nanoseconds(Order({.kind = "blocks", .lanes = lanes}, rows, 1), count),
                static_cast<unsigned long long>(lanes));
  std::printf("balanced  %6.1f ns an index\n",
              nanoseconds(Order({.kind = "balanced"}, rows, 1, identities), count));
  return 0;
}
