// MANIFEST.pb of a checkpoint (checkpoint/format/manifest.h), and what a rank reports of its file.
#include "checkpoint/format/layout.h"
#include "checkpoint/format/manifest.h"
#include "core/error.h"
#include "tests/fuzz/target.h"

namespace facemae::fuzz {

// libprotobuf asks for up to 50 MB for a string whose length says so, before it looks what is there.
std::size_t justified_allocation(std::size_t) { return 50 << 20; }

void parse(std::string_view input) {
  const std::string bytes(input);
  try {
    parse_report(bytes);
  } catch (const CheckpointError&) {  // most manifests are no reports
  }
  const Manifest manifest = parse_manifest(bytes);
  require(parse_manifest(serialise(manifest)) == manifest, "a manifest is read back as it was written");
}

std::vector<std::string> seeds() {
  Manifest manifest{
      .id = {1200, 3}, .samples = 76800, .world = 2, .threads = 4, .cpu = "AVX2", .virtual_shards = 4};
  manifest.files = {{"r00000.safetensors", 4096 + 24 + 8, 4096, {1, 2}},
                    {"r00001.safetensors", 4096 + 24, 4096, {3, 4}}};
  manifest.tensors = {{"centres",
                       "F32",
                       {4, 3},
                       true,
                       {{0, 4096, {0, 24}, {{5, 6}, {7, 8}}}, {1, 4096, {24, 24}, {{9, 1}, {2, 2}}}}},
                      {"model.empty", "F32", {0}, false, {}},
                      {"model.w", "F32", {2}, false, {{0, 4120, {0, 8}, {{3, 3}}}}}};
  manifest.run_state = "{}";
  manifest.config = "a = 1\n\xff";
  manifest.software = {{"libtorch", "2"}};
  manifest.parent = CheckpointId{1000, 2};
  manifest.root = root_hash(manifest.tensors, manifest.virtual_shards);
  Manifest empty{.id = {1, 1}};
  empty.root = root_hash({}, 0);
  return {serialise(manifest), serialise(empty)};
}

}  // namespace facemae::fuzz
