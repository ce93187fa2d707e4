#include "checkpoint/format/manifest.h"

#include <algorithm>
#include <map>

#include "checkpoint/format/layout.h"
#include "checkpoint/format/manifest.pb.h"
#include "core/error.h"

namespace facemae {
namespace {

constexpr std::uint32_t kSchema = 1;
constexpr std::int64_t kMostVirtualShards = 1 << 24;

std::string pack(const std::vector<Hash128>& hashes) {
  std::string bytes;
  bytes.reserve(hashes.size() * 16);
  for (const auto& hash : hashes)
    for (const std::uint64_t half : {hash.high, hash.low})
      for (int shift = 56; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(half >> shift));
  return bytes;
}

std::vector<Hash128> unpack(const std::string& bytes, const std::string& what) {
  if (bytes.size() % 16 != 0) throw CheckpointError("the manifest's hashes of " + what + " are cut off");
  std::vector<Hash128> hashes(bytes.size() / 16);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto& half = i % 16 < 8 ? hashes[i / 16].high : hashes[i / 16].low;
    half = half << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return hashes;
}

Hash128 unpack_one(const std::string& bytes, const std::string& what) {
  if (bytes.size() != 16) throw CheckpointError("the manifest's hash of " + what + " does not have 16 bytes");
  return unpack(bytes, what)[0];
}

void to_proto(const ManifestTensor& from, proto::CheckpointTensor& to) {
  to.set_name(from.name);
  to.set_dtype(from.dtype);
  to.mutable_shape()->Add(from.shape.begin(), from.shape.end());
  to.set_by_class(from.by_class);
  for (const auto& piece : from.pieces) {
    auto& out = *to.add_pieces();
    out.set_file(piece.file);
    out.set_offset(piece.offset);
    out.set_begin(piece.range.begin);
    out.set_bytes(piece.range.bytes);
    out.set_leaves(pack(piece.leaves));
  }
}

ManifestTensor from_proto(const proto::CheckpointTensor& from) {
  ManifestTensor to{
      .name = from.name(), .dtype = from.dtype(), .shape = {}, .by_class = from.by_class(), .pieces = {}};
  to.shape.assign(from.shape().begin(), from.shape().end());
  for (const auto& piece : from.pieces())
    to.pieces.push_back({.file = piece.file(),
                         .offset = piece.offset(),
                         .range = {piece.begin(), piece.bytes()},
                         .leaves = unpack(piece.leaves(), from.name())});
  return to;
}

void to_proto(const ManifestFile& from, proto::CheckpointFile& to) {
  to.set_name(from.name);
  to.set_bytes(from.bytes);
  to.set_header_bytes(from.header_bytes);
  to.set_header_hash(pack({from.header_hash}));
}

ManifestFile from_proto(const proto::CheckpointFile& from) {
  return {.name = from.name(),
          .bytes = from.bytes(),
          .header_bytes = from.header_bytes(),
          .header_hash = unpack_one(from.header_hash(), from.name())};
}

void check_files(const Manifest& manifest) {
  for (const auto& file : manifest.files) {
    if (file.name.empty() || file.name[0] == '.' || file.name.find('/') != std::string::npos)
      throw CheckpointError("the manifest names a file outside its folder: \"" + file.name + "\"");
    if (file.header_bytes > file.bytes)
      throw CheckpointError("the manifest's file " + file.name + " is shorter than its header");
  }
}

/// Checks that pieces tile the tensor in whole leaves and lie inside their files.
void check_tensor(const ManifestTensor& tensor, const Manifest& manifest) {
  const auto complain = [&](const std::string& what) {
    throw CheckpointError("the manifest's tensor " + tensor.name + " " + what);
  };
  // The shape may say anything: leaves are laid out only if there are hashes for about as many.
  std::uint64_t hashes = 0;
  for (const auto& piece : tensor.pieces) hashes += piece.leaves.size();
  const std::uint64_t bytes = tensor_bytes(tensor);
  const bool class_rows = tensor.by_class && bytes > 0 && !tensor.shape.empty();
  const std::int64_t shards = class_rows ? std::min(manifest.virtual_shards, tensor.shape[0]) : 0;
  if (bytes / kLeafBytes > hashes || static_cast<std::uint64_t>(shards) > hashes) complain("is not complete");
  const auto leaves = leaves_of(tensor, manifest.virtual_shards);
  std::size_t leaf = 0;
  std::uint64_t at = 0;
  for (const auto& piece : tensor.pieces) {
    if (piece.range.begin != at) complain("has pieces with a gap at byte " + std::to_string(at));
    for (std::size_t i = 0; i < piece.leaves.size(); ++i, ++leaf) {
      if (leaf == leaves.size()) complain("has more hashes than leaves");
      at = leaves[leaf].end();
    }
    if (piece.range.end() != at) complain("has a piece that is not made of whole leaves");
    if (piece.file >= manifest.files.size()) complain("refers to a file that is not listed");
    const auto& file = manifest.files[piece.file];
    if (piece.offset < file.header_bytes || piece.offset > file.bytes ||
        piece.range.bytes > file.bytes - piece.offset)
      complain("has a piece outside " + file.name);
  }
  if (leaf != leaves.size()) complain("is not complete");
}

/// Checks that every byte of a file belongs to its header or to exactly one piece, so that every
/// byte is hashed.
void check_cover(const Manifest& manifest) {
  std::vector<std::vector<ByteRange>> used(manifest.files.size());
  for (const auto& tensor : manifest.tensors)
    for (const auto& piece : tensor.pieces) used[piece.file].push_back({piece.offset, piece.range.bytes});
  for (std::size_t i = 0; i < used.size(); ++i) {
    auto by_place = [](const ByteRange& a, const ByteRange& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.bytes < b.bytes;
    };
    std::sort(used[i].begin(), used[i].end(), by_place);
    std::uint64_t at = manifest.files[i].header_bytes;
    for (const auto& range : used[i]) {
      if (range.begin != at)
        throw CheckpointError("the manifest's pieces in " + manifest.files[i].name +
                              " overlap or leave a hole");
      at = range.end();
    }
    if (at != manifest.files[i].bytes)
      throw CheckpointError("the manifest's pieces do not fill " + manifest.files[i].name);
  }
}

}  // namespace

const ManifestTensor* Manifest::find(const std::string& name) const {
  const auto at = std::lower_bound(
      tensors.begin(), tensors.end(), name,
      [](const ManifestTensor& tensor, const std::string& key) { return tensor.name < key; });
  return at != tensors.end() && at->name == name ? &*at : nullptr;
}

std::string serialise(const Manifest& manifest) {
  proto::CheckpointManifest out;
  out.set_schema(kSchema);
  out.set_step(manifest.id.step);
  out.set_start(manifest.id.start);
  out.set_samples(manifest.samples);
  out.set_world(static_cast<std::uint32_t>(manifest.world));
  out.set_threads(static_cast<std::uint32_t>(manifest.threads));
  out.set_cpu(manifest.cpu);
  out.set_virtual_shards(manifest.virtual_shards);
  for (const auto& tensor : manifest.tensors) to_proto(tensor, *out.add_tensors());
  for (const auto& file : manifest.files) to_proto(file, *out.add_files());
  out.set_root(pack({manifest.root}));
  out.set_run_state(manifest.run_state);
  out.set_config(manifest.config);
  out.set_dataset_digest(manifest.dataset_digest);
  out.set_model_hash(manifest.model_hash);
  for (const auto& [name, version] : manifest.software) {
    auto& software = *out.add_software();
    software.set_name(name);
    software.set_version(version);
  }
  if (manifest.parent) {
    out.mutable_parent()->set_step(manifest.parent->step);
    out.mutable_parent()->set_start(manifest.parent->start);
  }
  if (manifest.metric) out.set_metric(*manifest.metric);
  std::string bytes;
  if (!out.SerializeToString(&bytes))
    throw CheckpointError("serialising the manifest failed: is a text not UTF-8?");
  return bytes;
}

Manifest parse_manifest(const std::string& bytes) {
  proto::CheckpointManifest in;
  if (!in.ParseFromString(bytes)) throw CheckpointError("the manifest is not a protobuf message of its kind");
  if (in.schema() != kSchema)
    throw CheckpointError("the manifest has schema " + std::to_string(in.schema()) +
                          ", but this program reads " + std::to_string(kSchema));
  Manifest manifest{.id = {in.step(), in.start()},
                    .samples = in.samples(),
                    .world = static_cast<int>(in.world()),
                    .threads = static_cast<int>(in.threads()),
                    .cpu = in.cpu(),
                    .virtual_shards = in.virtual_shards(),
                    .tensors = {},
                    .files = {},
                    .root = unpack_one(in.root(), "the root"),
                    .run_state = in.run_state(),
                    .config = in.config(),
                    .dataset_digest = in.dataset_digest(),
                    .model_hash = in.model_hash(),
                    .software = {},
                    .parent = {},
                    .metric = {}};
  if (manifest.virtual_shards < 0 || manifest.virtual_shards > kMostVirtualShards)
    throw CheckpointError("the manifest has " + std::to_string(manifest.virtual_shards) + " virtual shards");
  for (const auto& tensor : in.tensors()) manifest.tensors.push_back(from_proto(tensor));
  for (const auto& file : in.files()) manifest.files.push_back(from_proto(file));
  for (const auto& software : in.software())
    manifest.software.emplace_back(software.name(), software.version());
  if (in.has_parent()) manifest.parent = CheckpointId{in.parent().step(), in.parent().start()};
  if (in.has_metric()) manifest.metric = in.metric();

  check_files(manifest);
  for (std::size_t i = 0; i < manifest.tensors.size(); ++i) {
    if (i > 0 && manifest.tensors[i - 1].name >= manifest.tensors[i].name)
      throw CheckpointError("the manifest's tensors are not sorted by name at " + manifest.tensors[i].name);
    check_tensor(manifest.tensors[i], manifest);
  }
  check_cover(manifest);
  if (root_hash(manifest.tensors, manifest.virtual_shards) != manifest.root)
    throw CheckpointError("the manifest's root is not that of its leaves");
  return manifest;
}

std::string serialise(const RankReport& report) {
  proto::CheckpointReport out;
  to_proto(report.file, *out.mutable_file());
  for (const auto& tensor : report.tensors) to_proto(tensor, *out.add_tensors());
  return out.SerializeAsString();
}

RankReport parse_report(const std::string& bytes) {
  proto::CheckpointReport in;
  if (!in.ParseFromString(bytes)) throw CheckpointError("a rank's report on its file does not parse");
  RankReport report{.file = from_proto(in.file()), .tensors = {}};
  for (const auto& tensor : in.tensors()) report.tensors.push_back(from_proto(tensor));
  return report;
}

}  // namespace facemae
