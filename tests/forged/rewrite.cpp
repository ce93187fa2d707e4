// What libhdf5 can write and this program does not: values of other types and shapes under the right names,
// other layouts, links to anywhere.
#include <hdf5.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "tests/forged/forge.h"

namespace facemae::forged {
namespace {

/// Closes what it was given, last one first. libhdf5's own failures do not matter here: some of the
/// wishes are impossible.
class Ids {
 public:
  ~Ids() {
    for (auto at = close_.rbegin(); at != close_.rend(); ++at) (*at)();
  }
  hid_t operator()(hid_t id, herr_t (*close)(hid_t)) {
    if (id >= 0) close_.emplace_back([=] { close(id); });
    return id;
  }

 private:
  std::vector<std::function<void()>> close_;
};

std::vector<std::string> names_of(hid_t file, bool attributes) {
  std::vector<std::string> names;
  const auto attribute = [](hid_t, const char* name, const H5A_info_t*, void* out) -> herr_t {
    static_cast<std::vector<std::string>*>(out)->push_back(name);
    return 0;
  };
  const auto object = [](hid_t, const char* name, const H5O_info_t* info, void* out) -> herr_t {
    if (info->type == H5O_TYPE_DATASET) static_cast<std::vector<std::string>*>(out)->push_back(name);
    return 0;
  };
  if (attributes)
    H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, nullptr, attribute, &names);
  else
#if H5_VERSION_GE(1, 12, 0)
    H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, object, &names, H5O_INFO_BASIC);
#else
    H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, object, &names);
#endif
  return names;
}

/// A type, and a shape, that none of the values has.
hid_t other_type(Ids& ids, Draws& draws) {
  const std::uint64_t kind = draws.below(9);
  const auto keep = [&](hid_t type) { return ids(type, H5Tclose); };
  if (kind == 0) return H5T_STD_U8LE;
  if (kind == 1) return H5T_STD_I64LE;
  if (kind == 2) return H5T_STD_U64BE;
  if (kind == 3) return H5T_IEEE_F64LE;
  if (kind == 4) return H5T_STD_U64LE;
  if (kind == 5) return H5T_STD_REF_OBJ;
  const hid_t text = keep(H5Tcopy(H5T_C_S1));
  if (kind == 6) return H5Tset_size(text, H5T_VARIABLE), text;
  if (kind == 7)
    return H5Tset_size(text, 1 + draws.below(30000)), H5Tset_strpad(text, H5T_STR_NULLPAD),
           H5Tset_cset(text, H5T_CSET_UTF8), text;
  const hid_t pair = keep(H5Tcreate(H5T_COMPOUND, 16));
  H5Tinsert(pair, "a", 0, H5T_STD_U64LE);
  H5Tinsert(pair, "b", 8, H5T_STD_U64LE);
  return pair;
}
hid_t other_shape(Ids& ids, Draws& draws, bool may_be_large) {
  const hsize_t line = draws.below(may_be_large ? 4000 : 100), square[2] = {draws.below(20), draws.below(20)};
  switch (draws.below(4)) {
    case 0:
      return ids(H5Screate(H5S_SCALAR), H5Sclose);
    case 1:
      return ids(H5Screate(H5S_NULL), H5Sclose);
    case 2:
      return ids(H5Screate_simple(2, square, nullptr), H5Sclose);
    default:
      return ids(H5Screate_simple(1, &line, nullptr), H5Sclose);
  }
}

std::string attribute(hid_t file, const std::string& name, Ids& ids, Draws& draws) {
  H5Adelete(file, name.c_str());
  if (draws.below(4) == 0) return "no attribute " + name;
  const hid_t type = other_type(ids, draws), shape = other_shape(ids, draws, true);
  const hid_t made = ids(H5Acreate2(file, name.c_str(), type, shape, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
  const std::vector<std::uint64_t> values(200'000, 0x4141414141414141);
  if (made >= 0 && H5Tis_variable_str(type) <= 0 && H5Aget_storage_size(made) < 1'000'000)
    H5Awrite(made, type, values.data());
  return "another attribute " + name;
}

std::string data_set(hid_t file, const std::string& name, Ids& ids, Draws& draws) {
  H5Ldelete(file, name.c_str(), H5P_DEFAULT);
  const hid_t made_by = ids(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  const hsize_t chunk[2] = {7, 7};
  const auto make = [&](hid_t type, hid_t shape) {
    return ids(H5Dcreate2(file, name.c_str(), type, shape, H5P_DEFAULT, made_by, H5P_DEFAULT), H5Dclose);
  };
  const hsize_t line = 30;
  const auto simple = [&] { return ids(H5Screate_simple(1, &line, nullptr), H5Sclose); };
  switch (draws.below(10)) {
    case 0:
      return "no " + name;
    case 1:
      H5Pset_chunk(made_by, 1, chunk);
      H5Pset_deflate(made_by, 9);
      return make(H5T_STD_U64LE, simple()), "compressed " + name;
    case 2:
      H5Pset_layout(made_by, H5D_COMPACT);
      return make(H5T_STD_U64LE, simple()), "compact " + name;
    case 3:
      H5Pset_external(made_by, "/etc/passwd", 0, 240);
      return make(H5T_STD_U64LE, simple()), "external " + name;
    case 4:
      return H5Lcreate_soft("/", file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT), "soft link " + name;
    case 5:
      return H5Lcreate_external("manifest.h5", "/", file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT),
             "external link " + name;
    case 6:
      return H5Lcreate_hard(file, "/", file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT), "root as " + name;
    case 7:
      return ids(H5Gcreate2(file, name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose),
             "a group as " + name;
    case 8: {
      const hid_t type = ids(H5Tcopy(H5T_STD_U64LE), H5Tclose);
      H5Tcommit2(file, "type", type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      return make(type, simple()), "a committed type of " + name;
    }
    default:
      return make(other_type(ids, draws), other_shape(ids, draws, false)), "another " + name;
  }
}

std::string more(hid_t file, Ids& ids, Draws& draws) {
  std::string group = "/more";
  const std::uint64_t kind = draws.below(3), count = 1 + draws.below(100);
  const hid_t shape = ids(H5Screate(H5S_SCALAR), H5Sclose);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string name = "more" + std::to_string(i);
    if (kind == 0)
      ids(H5Acreate2(file, name.c_str(), H5T_STD_U64LE, shape, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    else
      ids(H5Gcreate2(file, kind == 1 ? name.c_str() : group.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
          H5Gclose);
    group += "/more";
  }
  return std::to_string(count) + (kind == 0 ? " attributes" : kind == 1 ? " groups" : " groups in groups");
}

}  // namespace

std::string rewrite_by_hdf5(std::string& bytes, Draws& draws, const Path& scratch) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const Path path = scratch / "rewritten.h5";
  write_whole(real_files(), path, bytes);
  std::string done = "libhdf5 does not open it";
  {
    Ids ids;
    const hid_t access = ids(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_libver_bounds(access, H5F_LIBVER_V110, H5F_LIBVER_V110);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    const hid_t file = ids(H5Fopen(path.c_str(), H5F_ACC_RDWR, access), H5Fclose);
    if (file < 0) return done;
    const auto attributes = names_of(file, true), sets = names_of(file, false);
    const std::uint64_t kind = draws.below(10);
    if (kind < 4 && !attributes.empty())
      done = attribute(file, attributes[draws.below(attributes.size())], ids, draws);
    else if (kind < 9 && !sets.empty())
      done = data_set(file, sets[draws.below(sets.size())], ids, draws);
    else
      done = more(file, ids, draws);
  }
  bytes = read_file(path);
  return done;
}

}  // namespace facemae::forged
