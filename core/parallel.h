#pragma once
// Does many independent pieces of work on several threads.
#include <cstddef>
#include <cstdint>
#include <functional>

namespace facemae {

/// Calls work(0) .. work(count - 1), begun in this order, on up to `threads` threads. `see` is called on the
/// calling thread, every so often and at the end, with the number of finished pieces. After a failure nothing
/// more is begun, and the exception of the lowest piece that failed is thrown.
void in_parallel(std::size_t count, int threads, const std::function<void(std::size_t)>& work,
                 const std::function<void(std::size_t)>& see = {});

/// Calls work(begin, end) for ranges that together are [0, count), one a thread, on up to `threads` threads and of at
/// least `least` each; a single one on the calling thread. at::parallel_for would take one thread: it takes several only
/// in code that is compiled with OpenMP, of which LibTorch has a copy of its own.
void in_ranges(std::int64_t count, std::int64_t least, int threads,
               const std::function<void(std::int64_t begin, std::int64_t end)>& work);

}  // namespace facemae
