#include "trainer/input/open_store.h"

#include "cluster/host/agree.h"

namespace facemae {

std::shared_ptr<const Store> open_once_a_node(Control& control, const Topology& place, const Path& folder,
                                              const ReadPolicy& policy) {
  std::shared_ptr<const Store> store;
  const bool checks = place.local_rank == 0;
  together(control, [&] {
    if (checks) store = Store::open(folder, real_inputs(), policy);
  });
  together(control, [&] {
    if (!checks) store = Store::open(folder, real_inputs(), policy, SealCheck::Unhashed);
  });
  return store;
}

}  // namespace facemae
