#include "data/image/png_reader.h"

#include <png.h>

#include <csetjmp>
#include <cstdio>
#include <cstring>

#include "core/error.h"
#include "core/log.h"
#include "data/image/image_kind.h"

namespace facemae {

struct PngReader::State {
  ~State() { png_destroy_read_struct(&png, &info, nullptr); }

  png_structp png = nullptr;
  png_infop info = nullptr;
  Bytes rest;
  bool in_pixels = false;  ///< what libpng warns of from here on is about pixels
  std::jmp_buf place{};
  char fault[160] = "";
};

namespace {

/// libpng's way back to guarded(): nothing that lies between has a destructor.
[[noreturn]] void fail(png_structp png, png_const_charp message) {
  auto& state = *static_cast<PngReader::State*>(png_get_error_ptr(png));
  std::snprintf(state.fault, sizeof state.fault, "%s", message);
  std::longjmp(state.place, 1);
}

void warn(png_structp png, png_const_charp message) {
  if (static_cast<PngReader::State*>(png_get_error_ptr(png))->in_pixels) fail(png, message);
}

void take(png_structp png, png_bytep out, std::size_t bytes) {
  Bytes& rest = static_cast<PngReader::State*>(png_get_io_ptr(png))->rest;
  if (bytes > rest.size()) fail(png, "the file ends within the picture");
  std::memcpy(out, rest.data(), bytes);
  rest = rest.subspan(bytes);
}

/// Calls into libpng. `body` must hold nothing that has a destructor.
template <class Body>
void guarded(PngReader::State& state, const Body& body) {
  if (setjmp(state.place) != 0) throw DataError(std::string("PNG: ") + state.fault);
  body();
}

/// What libpng's own png_image_finish_read() sets for 8-bit RGB over black: its pixels are ours to the bit.
void ask_for_rgb(png_structp png, png_infop info) {
  const int kind = png_get_color_type(png, info);
  const bool transparent = (kind & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(png, info, PNG_INFO_tRNS) != 0;
  png_set_expand(png);
  if ((kind & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(png);
  // Without gAMA, 16 bits are sRGB as well: libpng takes them for linear light, as nobody else does.
  png_set_alpha_mode_fixed(png, PNG_ALPHA_PNG, PNG_DEFAULT_sRGB);
  if (png_get_bit_depth(png, info) == 16) png_set_scale_16(png);
  const png_color_16 black{};
  if (transparent) png_set_background_fixed(png, &black, PNG_BACKGROUND_GAMMA_SCREEN, 0, 0);
  png_set_alpha_mode_fixed(png, PNG_ALPHA_PNG, PNG_DEFAULT_sRGB);
}

}  // namespace

PngReader::PngReader(Bytes encoded) : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.rest = encoded;
  guarded(state, [&state] {
    state.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &state, fail, warn);
    if (state.png != nullptr) state.info = png_create_info_struct(state.png);
  });
  if (state.info == nullptr)
    throw Error("starting libpng: out of memory, or it is not the one of its headers");
  guarded(state, [&state] {
    png_set_read_fn(state.png, &state, take);
    png_set_benign_errors(state.png, 1);
    // Of the chunks that may be left out, these alone change pixels. No profile or text is ever inflated.
    constexpr png_byte colour[] = {'g', 'A', 'M', 'A', 0, 's', 'R', 'G', 'B', 0};
    png_set_keep_unknown_chunks(state.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_set_keep_unknown_chunks(state.png, PNG_HANDLE_CHUNK_AS_DEFAULT, colour, 2);
    png_read_info(state.png, state.info);
  });
  check_size(png_get_image_width(state.png, state.info), png_get_image_height(state.png, state.info));
}

PngReader::~PngReader() = default;

ImageHeader PngReader::header() const {
  return {static_cast<int>(png_get_image_width(state_->png, state_->info)),
          static_cast<int>(png_get_image_height(state_->png, state_->info)), Codec::Png, true};
}

void PngReader::read(std::span<std::uint8_t> out) {
  State& state = *state_;
  const ImageHeader size = header();
  const auto rows = static_cast<std::size_t>(size.height), row = pixel_bytes(size.width, 1);
  if (out.size() != rows * row) throw Error(fmt::format("reading a PNG into {} bytes", out.size()));
  guarded(state, [&state, out, rows, row] {
    ask_for_rgb(state.png, state.info);
    const int passes = png_set_interlace_handling(state.png);
    png_read_update_info(state.png, state.info);
    if (png_get_rowbytes(state.png, state.info) != row) fail(state.png, "its rows are not RGB");
    state.in_pixels = true;
    for (int pass = 0; pass < passes; ++pass)
      for (std::size_t y = 0; y < rows; ++y) png_read_row(state.png, out.data() + y * row, nullptr);
  });
}

std::vector<std::byte> encode_png(const Image& image) {
  check_pixels(image);
  png_image png{};
  png.version = PNG_IMAGE_VERSION;
  png.width = static_cast<png_uint_32>(image.width);
  png.height = static_cast<png_uint_32>(image.height);
  png.format = PNG_FORMAT_RGB;
  std::vector<unsigned char> buffer(PNG_IMAGE_PNG_SIZE_MAX(png));
  png_alloc_size_t size = buffer.size();
  if (png_image_write_to_memory(&png, buffer.data(), &size, 0, image.pixels.data(), 0, nullptr) == 0)
    throw Error(std::string("encoding a PNG: ") + png.message);
  const auto* bytes = reinterpret_cast<const std::byte*>(buffer.data());
  return {bytes, bytes + size};
}

}  // namespace facemae
