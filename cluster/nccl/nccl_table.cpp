#include <nccl.h>

#include <cstring>

#include "cluster/nccl/nccl_api.h"

namespace facemae::nccl {
namespace {

static_assert(sizeof(UniqueId) == sizeof(ncclUniqueId));
static_assert(kSuccess == ncclSuccess && kInProgress == ncclInProgress);
static_assert(int(Type::Uint8) == ncclUint8 && int(Type::Int32) == ncclInt32 &&
              int(Type::Int64) == ncclInt64 && int(Type::Float16) == ncclFloat16 &&
              int(Type::Float32) == ncclFloat32 && int(Type::Float64) == ncclFloat64 &&
              int(Type::Bfloat16) == ncclBfloat16);
static_assert(int(Op::Sum) == ncclSum && int(Op::Max) == ncclMax && int(Op::Min) == ncclMin);

ncclComm_t own(Comm comm) { return static_cast<ncclComm_t>(comm); }
cudaStream_t own_stream(Stream stream) { return static_cast<cudaStream_t>(stream); }
ncclDataType_t own(Type type) { return static_cast<ncclDataType_t>(type); }
ncclRedOp_t own(Op op) { return static_cast<ncclRedOp_t>(op); }

Code init(Comm& comm, int size, const UniqueId& id, int rank) {
  ncclUniqueId raw;
  std::memcpy(&raw, id.bytes.data(), sizeof raw);
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  ncclComm_t made = nullptr;
  const Code code = ncclCommInitRankConfig(&made, size, raw, rank, &config);
  comm = made;
  return code;
}

}  // namespace

Api real_api() {
  Api api;
  api.unique_id = [](UniqueId& id) -> Code {
    ncclUniqueId raw;
    const Code code = ncclGetUniqueId(&raw);
    std::memcpy(id.bytes.data(), &raw, sizeof raw);
    return code;
  };
  api.init = init;
  api.all_reduce = [](const void* in, void* out, std::size_t count, Type type, Op op, Comm comm,
                      Stream stream) -> Code {
    return ncclAllReduce(in, out, count, own(type), own(op), own(comm), own_stream(stream));
  };
  api.all_gather = [](const void* in, void* out, std::size_t count, Type type, Comm comm,
                      Stream stream) -> Code {
    return ncclAllGather(in, out, count, own(type), own(comm), own_stream(stream));
  };
  api.reduce_scatter = [](const void* in, void* out, std::size_t count, Type type, Op op, Comm comm,
                          Stream stream) -> Code {
    return ncclReduceScatter(in, out, count, own(type), own(op), own(comm), own_stream(stream));
  };
  api.broadcast = [](void* data, std::size_t count, Type type, int root, Comm comm, Stream stream) -> Code {
    return ncclBroadcast(data, data, count, own(type), root, own(comm), own_stream(stream));
  };
  api.get_async_error = [](Comm comm, Code& state) -> Code {
    ncclResult_t raw = ncclSuccess;
    const Code code = ncclCommGetAsyncError(own(comm), &raw);
    state = raw;
    return code;
  };
  api.abort = [](Comm comm) -> Code { return ncclCommAbort(own(comm)); };
  api.finalize = [](Comm comm) -> Code { return ncclCommFinalize(own(comm)); };
  api.destroy = [](Comm comm) -> Code { return ncclCommDestroy(own(comm)); };
  api.text = [](Code code) { return std::string(ncclGetErrorString(static_cast<ncclResult_t>(code))); };
  return api;
}

std::string library_version() {
  int code = 0;
  if (ncclGetVersion(&code) != ncclSuccess) return "of unknown version";
  return std::to_string(code / 10000) + "." + std::to_string(code / 100 % 100) + "." +
         std::to_string(code % 100);
}

}  // namespace facemae::nccl
