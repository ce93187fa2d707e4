#pragma once
// Finds the weights of a network in what a file of torch.save holds: a state dict by itself, or within the dict of a
// whole training.
#include <string>
#include <vector>

#include "checkpoint/pytorch/torch_pickle.h"

namespace facemae {

struct StateEntry {
  std::string name;
  const PickleValue* tensor;  ///< of kind Tensor
};

/// The tensors of the state dict, in its order; `content` must outlive them. Numbers, texts and None beside them are
/// passed over. Throws DataError, naming what is there, when there is no state dict, and when something else than a tensor
/// lies where one should.
std::vector<StateEntry> state_dict_in(const TorchPickle& content, const std::string& from);

}  // namespace facemae
