#pragma once
// The pickles of verification packs: lists of encoded images and answers, also as numpy arrays.
#include "core/pickle/pickle.h"

namespace facemae {

/// Knows the callables that numpy arrays and byte strings are written with, and refuses all others by name. `bytes` must
/// outlive the result. Throws DataError naming the byte offset.
Pickle read_pack_pickle(std::string_view bytes);

/// DataError "reading a pickle: byte 123: ...".
[[noreturn]] void refuse_pack(std::uint64_t offset, const std::string& found, std::string_view remedy = "");

}  // namespace facemae
