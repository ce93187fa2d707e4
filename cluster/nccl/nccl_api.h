#pragma once
// NCCL as a small table of functions, without nccl.h: the real one is in nccl_table.cpp, tests put
// a fake in its place.
#include <array>
#include <cstddef>
#include <functional>
#include <string>

namespace facemae::nccl {

using Comm = void*;
using Stream = void*;
using Code = int;  ///< ncclResult_t
inline constexpr Code kSuccess = 0, kInProgress = 7;

struct UniqueId {
  std::array<char, 128> bytes{};
};

/// NCCL's numbers for element types and reductions; nccl_table.cpp asserts that they are those of nccl.h.
enum class Type : int {
  Uint8 = 1,
  Int32 = 2,
  Int64 = 4,
  Float16 = 6,
  Float32 = 7,
  Float64 = 8,
  Bfloat16 = 9
};
enum class Op : int { Sum = 0, Max = 2, Min = 3 };

/// Every communicator is non-blocking: a call may return kInProgress, and get_async_error then
/// tells when it is over.
struct Api {
  std::function<Code(UniqueId& id)> unique_id;
  std::function<Code(Comm& comm, int size, const UniqueId& id, int rank)> init;
  std::function<Code(const void* in, void* out, std::size_t count, Type, Op, Comm, Stream)> all_reduce;
  std::function<Code(const void* in, void* out, std::size_t in_count, Type, Comm, Stream)> all_gather;
  std::function<Code(const void* in, void* out, std::size_t out_count, Type, Op, Comm, Stream)>
      reduce_scatter;
  std::function<Code(void* data, std::size_t count, Type, int root, Comm, Stream)> broadcast;
  std::function<Code(Comm, Code& state)> get_async_error;
  std::function<Code(Comm)> abort, finalize, destroy;
  std::function<std::string(Code)> text;
};

/// NCCL itself; only where NCCL is built.
Api real_api();
/// "2.28.9" of the loaded library; only where NCCL is built.
std::string library_version();

}  // namespace facemae::nccl
