#pragma once
// Does many independent pieces of work on several threads.
#include <cstddef>
#include <functional>

namespace facemae {

/// Calls work(0) .. work(count - 1), begun in this order, on up to `threads` threads. `see` is called on the
/// calling thread, every so often and at the end, with the number of finished pieces. After a failure nothing
/// more is begun, and the exception of the lowest piece that failed is thrown.
void in_parallel(std::size_t count, int threads, const std::function<void(std::size_t)>& work,
                 const std::function<void(std::size_t)>& see = {});

}  // namespace facemae
