#include "trainer/apply/write_embeddings.h"

#include <torch/torch.h>

#include "cluster/host/agree.h"
#include "cluster/host/shared_folder.h"
#include "core/files/output_place.h"
#include "core/files/slice_writer.h"
#include "core/files/temporary_file.h"
#include "core/log.h"
#include "evaluation/formats/npy_header.h"

namespace facemae {
namespace {

Bytes bytes_of_rows(const torch::Tensor& rows) {
  return {static_cast<const std::byte*>(rows.data_ptr()), rows.nbytes()};
}

/// The first image of a rank. Ranks have whole batches, because the last bits of an embedding depend on the
/// batch that it is computed in.
std::size_t first_of(std::size_t rank, std::size_t ranks, std::size_t images, std::size_t batch) {
  return std::min(images, rank * ((images + batch - 1) / batch) / ranks * batch);
}

void write_alone(const ImageSet& images, RecognitionNetwork& network, World& world, const EmbedConfig& config,
                 const Path& out, const std::string& header) {
  write_output(real_files(), out, [&](OutputFile& file) {
    file.write(bytes_of(header));
    embed_range(
        images, 0, images.size, network, world.device(), config,
        [&](const torch::Tensor& rows, const torch::Tensor&) { file.write(bytes_of_rows(rows)); },
        config.show_progress);
  });
}

void write_slice(const ImageSet& images, RecognitionNetwork& network, World& world, const EmbedConfig& config,
                 const Path& file, std::size_t header_bytes) {
  const auto ranks = static_cast<std::size_t>(world.topology().size),
             rank = static_cast<std::size_t>(world.topology().rank);
  const auto batch = static_cast<std::size_t>(config.batch);
  const std::size_t first = first_of(rank, ranks, images.size, batch),
                    last = first_of(rank + 1, ranks, images.size, batch);
  SliceWriter slice(file, header_bytes + first * static_cast<std::size_t>(network.width()) * sizeof(float));
  embed_range(
      images, first, last, network, world.device(), config,
      [&](const torch::Tensor& rows, const torch::Tensor&) { slice.write(bytes_of_rows(rows)); },
      config.show_progress && rank == 0);
  slice.finish();
}

}  // namespace

void require_place_of_embeddings(Control& control, const Path& out) {
  if (control.size() == 1) return;
  together(control, [&] {
    if (control.is_root() && is_written_into(out))
      throw ConfigError(fmt::format(
          "--out {} is a pipe or a device, but {} ranks write parts of it: name a file, or use one process",
          out.string(), control.size()));
  });
  const Path folder = Path(control.broadcast(without_links(out).parent_path().string()));
  require_shared(control, real_files(), folder.empty() ? "." : folder, "the folder of --out " + out.string());
}

void write_embeddings(const ImageSet& images, RecognitionNetwork& network, World& world,
                      const EmbedConfig& config, const Path& out) {
  Control& control = world.control();
  const std::vector<std::int64_t> shape{static_cast<std::int64_t>(images.size), network.width()};
  const std::string header = npy_header(false, shape);
  if (control.size() == 1)
    return together(control, [&] { write_alone(images, network, world, config, out, header); });
  std::unique_ptr<TemporaryFile> temporary;  // rank 0's
  together(control, [&] {
    if (!control.is_root()) return;
    temporary = std::make_unique<TemporaryFile>(real_files(), without_links(out));
    SliceWriter head(temporary->path(), 0);
    head.write(bytes_of(header));
    head.finish();
  });
  const Path file = control.broadcast(temporary ? temporary->path().string() : "");
  together(control, [&] { write_slice(images, network, world, config, file, header.size()); });
  together(control, [&] {
    if (temporary) temporary->publish();
  });
}

}  // namespace facemae
