#pragma once
// A FaceMAE for the pictures of tests/unit/data/store/small_store.h, and its weights as a file.
#include "checkpoint/tensors/safetensors.h"
#include "model/common/state.h"
#include "model/facemae/face_mae.h"

namespace facemae::test {

inline FaceMae small_model(int image = 16, int code = 0) {
  FaceMae model(FaceMaeConfig{.image = image,
                              .patch = 4,
                              .width = 16,
                              .depth = 1,
                              .heads = 2,
                              .decoder_width = 8,
                              .decoder_depth = 1,
                              .decoder_heads = 2,
                              .code = code});
  model->initialise(7);
  model->eval();
  return model;
}

inline void write_model(const Path& file, const FaceMae& model, const std::string& reconstruction = "all") {
  write_safetensors(real_files(), file, state_of(*model),
                    {{"format", "pt"},
                     {"image", std::to_string(model->config.image)},
                     {"patch", std::to_string(model->config.patch)},
                     {"heads", "2"},
                     {"decoder_heads", "2"},
                     {"reconstruction", reconstruction},
                     {"mask-ratio", "0.5"}});
}

}  // namespace facemae::test
