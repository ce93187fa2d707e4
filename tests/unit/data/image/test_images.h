#pragma once
// Small images, folders of them, and a file system that fails on demand, for the tests of data/.

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "core/error.h"
#include "core/files/files.h"
#include "core/random/keys.h"
#include "data/image/image.h"
#include "data/pack/pack.h"
#include "tests/temporary_folder.h"

namespace facemae::test_images {

/// A smooth picture with some detail; equal seeds give equal pictures.
inline Image picture(std::uint64_t seed, int side = 32) {
  Draws draws(mix(seed + 1));
  Image image{side, side, {}};
  const double r = draws.uniform(), g = draws.uniform(), b = draws.uniform();
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      const double u = static_cast<double>(x) / side, v = static_cast<double>(y) / side;
      for (const double value : {r * u + (1 - r) * v, g * v + 0.3 * draws.uniform(), b * u * v + 0.4})
        image.pixels.push_back(static_cast<std::uint8_t>(255 * std::min(1.0, value)));
    }
  return image;
}

using test::TemporaryFolder;

inline void put(const Path& path, Bytes bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

/// ROOT/id-K/image-I.jpg
inline void put_faces(const Path& root, int identities, int images, int side = 32) {
  for (int k = 0; k < identities; ++k)
    for (int i = 0; i < images; ++i)
      put(root / ("id-" + std::to_string(k)) / ("image-" + std::to_string(i) + ".jpg"),
          encode_jpeg(picture(static_cast<std::uint64_t>(k * 1000 + i), side)));
}

/// Every file of a folder by name.
inline std::map<std::string, std::string> contents(const Path& folder) {
  std::map<std::string, std::string> result;
  for (const auto& file : std::filesystem::directory_iterator(folder))
    result[file.path().filename().string()] = read_file(file.path());
  return result;
}

inline void flip_bit(const Path& path, std::uint64_t offset) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(static_cast<std::streamoff>(offset));
  const char byte = static_cast<char>(file.get() ^ 0x10);
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(byte);
}

inline PackConfig quiet(const Path& out) {
  PackConfig config;
  config.out = out;
  config.seed = 7;
  config.shard_bytes = 8 << 10;
  config.show_progress = false;
  config.source_licence = "for tests";
  return config;
}

/// Throws at operation number `fatal`, as a process killed there: a write is torn, nothing after it happens.
class DyingFiles final : public FileSystem {
 public:
  explicit DyingFiles(int fatal) : fatal_(fatal) {}
  std::unique_ptr<OutputFile> create(const Path& path) override {
    step();
    return std::make_unique<File>(*this, real_files().create(path));
  }
  std::unique_ptr<OutputFile> open_append(const Path& path) override {
    step();
    return std::make_unique<File>(*this, real_files().open_append(path));
  }
  void rename(const Path& from, const Path& to) override { step(), real_files().rename(from, to); }
  void remove(const Path& path) override { step(), real_files().remove(path); }
  void make_folder(const Path& path) override { step(), real_files().make_folder(path); }
  void sync_folder(const Path& path) override { step(), real_files().sync_folder(path); }
  bool died() const { return died_; }

 private:
  struct File final : OutputFile {
    File(DyingFiles& o, std::unique_ptr<OutputFile> f) : owner(o), file(std::move(f)) {}
    void write(Bytes bytes) override {
      if (owner.next_is_fatal()) file->write(bytes.first(bytes.size() / 2));
      owner.step();
      file->write(bytes);
    }
    void sync() override { owner.step(), file->sync(); }
    void close() override { owner.step(), file->close(); }
    DyingFiles& owner;
    std::unique_ptr<OutputFile> file;
  };
  bool next_is_fatal() const { return operation_ + 1 == fatal_; }
  void step() {
    if (died_ || ++operation_ == fatal_) {
      died_ = true;
      throw FileError("killed at operation " + std::to_string(operation_), EIO);
    }
  }
  int fatal_, operation_ = 0;
  bool died_ = false;
};

}  // namespace facemae::test_images
