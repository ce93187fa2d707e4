// What pickled callables and states mean in a verification pack: byte strings of Python 3 in protocol 2, numpy types,
// arrays and scalars.
#include "evaluation/formats/pack_pickle.h"

#include <algorithm>
#include <array>

#include "core/error.h"
#include "core/pickle/pickle_machine.h"

namespace facemae {

using Kind = PickleValue::Kind;

namespace {

/// Bytes of one value of a numpy type.
std::uint64_t width_of(std::string_view type) { return static_cast<std::uint64_t>(type.back() - '0'); }

class PackMachine final : public PickleMachine {
 public:
  // A real pack of 7,000 pairs of numpy arrays makes some 100,000 values.
  PackMachine(std::string_view bytes, Pickle& out) : PickleMachine(bytes, out, 1 << 22) {}

 private:
  [[noreturn]] void refuse(const std::string& found, std::string_view remedy = "") const override {
    refuse_pack(opcode_at_, found, remedy);
  }
  std::string_view rewrite() const override {
    return ". If you trust who made it, Python writes it anew:\n"
           "  import pickle; images, same = pickle.load(open('IN.bin', 'rb'), encoding='bytes')\n"
           "  images, same = [bytes(i) for i in images], [bool(int(s)) for s in same]\n"
           "  pickle.dump((images, same), open('OUT.bin', 'wb'), protocol=4)";
  }
  std::string_view what() const override { return "a verification pack"; }
  void push_callable(std::string_view module, std::string_view name) override;
  void call() override;
  void build() override;
  void set_array(PickleValue& array, std::uint32_t shape, const PickleValue& type, const PickleValue& raw);
};

void PackMachine::push_callable(std::string_view module, std::string_view name) {
  // Old and new homes of the same things; Python 2 called builtins __builtin__.
  static constexpr std::array<std::array<std::string_view, 3>, 13> known = {{
      {"_codecs", "encode", "encode"},
      {"builtins", "bytes", "bytes"},
      {"__builtin__", "bytes", "bytes"},
      {"builtins", "bytearray", "bytes"},
      {"__builtin__", "bytearray", "bytes"},
      {"numpy", "ndarray", "ndarray"},
      {"numpy", "dtype", "dtype"},
      {"numpy.core.multiarray", "_reconstruct", "reconstruct"},
      {"numpy._core.multiarray", "_reconstruct", "reconstruct"},
      {"numpy.core.multiarray", "scalar", "scalar"},
      {"numpy._core.multiarray", "scalar", "scalar"},
      {"numpy.core.numeric", "_frombuffer", "frombuffer"},
      {"numpy._core.numeric", "_frombuffer", "frombuffer"},
  }};
  for (const auto& [home, word, meaning] : known)
    if (module == home && name == word) return push_bytes(Kind::Callable, meaning);
  refuse(fmt::format("it asks for '{}.{}', which no verification pack needs; refused, nothing was executed",
                     module.substr(0, 60), name.substr(0, 60)));
}

void PackMachine::set_array(PickleValue& array, std::uint32_t shape, const PickleValue& type,
                            const PickleValue& raw) {
  const auto& sides = out_.at(shape);
  const auto is_number = [&](std::uint32_t i) {
    return out_.at(i).kind == Kind::Int && out_.at(i).number >= 0;
  };
  if (sides.kind != Kind::Tuple || sides.items.size() > 64 ||
      !std::all_of(sides.items.begin(), sides.items.end(), is_number))
    refuse("a numpy array whose shape is not a tuple of numbers");
  if (type.kind != Kind::DataType) refuse("a numpy array without a type");
  const bool objects = type.type.starts_with('O');
  if (raw.kind != (objects ? Kind::List : Kind::ByteString))
    refuse("a numpy array whose values are " + Pickle::name_of(raw.kind));
  std::uint64_t wanted = 1;
  int long_sides = 0;
  for (const auto side : sides.items) {
    const auto length = static_cast<std::uint64_t>(out_.at(side).number);
    if (length != 0 && wanted > bytes_.size() / length) refuse("a numpy array that is larger than the file");
    wanted *= length;
    long_sides += length > 1;
  }
  if (long_sides > 1)
    refuse("a numpy array of several dimensions where an encoded image or a row of bools should be");
  const std::uint64_t width = objects ? 1 : width_of(type.type),
                      held = objects ? raw.items.size() : raw.bytes.size();
  if (wanted != held / width || held % width != 0)
    refuse(fmt::format("a numpy array that should have {} {} and has {}", wanted * width,
                       objects ? "values" : "bytes", held));
  if (objects) {  // a list in all but name
    charge(raw.items.size());
    array.kind = Kind::List;
    array.items = raw.items;
    return;
  }
  array.bytes = raw.bytes;
  array.type = type.type;
  array.items = {shape};
}

void PackMachine::call() {
  const auto& arguments = value(pop());
  const auto& callable = value(pop());
  if (callable.kind != Kind::Callable) refuse("calling " + Pickle::name_of(callable.kind));
  if (arguments.kind != Kind::Tuple)
    refuse("a call with " + Pickle::name_of(arguments.kind) + " instead of arguments");
  const auto count = arguments.items.size();
  const auto argument = [&](std::size_t i) -> const PickleValue& { return value(arguments.items[i]); };
  const auto& name = callable.bytes;

  if (name == "encode" && count >= 1 && argument(0).kind == Kind::Text) {
    if (count > 2 || (count == 2 && argument(1).bytes != "latin1" && argument(1).bytes != "latin-1"))
      refuse("a text encoded in something else than latin-1");
    push_bytes(Kind::ByteString, latin1(argument(0).bytes));
  } else if (name == "bytes" && count == 0) {
    push_bytes(Kind::ByteString, {});
  } else if (name == "bytes" && count == 1 && argument(0).kind == Kind::ByteString) {
    push_bytes(Kind::ByteString, argument(0).bytes);
  } else if (name == "bytes" && count == 2 && argument(0).kind == Kind::Text &&
             argument(1).bytes == "latin-1") {  // a bytearray up to protocol 2
    push_bytes(Kind::ByteString, latin1(argument(0).bytes));
  } else if (name == "dtype" && count >= 1 &&
             (argument(0).kind == Kind::Text || argument(0).kind == Kind::ByteString)) {
    static constexpr std::array<std::string_view, 14> known = {"b1", "u1", "u2", "u4", "u8", "i1", "i2",
                                                               "i4", "i8", "f4", "f8", "O4", "O8", "?"};
    const std::string_view type = argument(0).bytes;
    if (std::find(known.begin(), known.end(), type) == known.end())
      refuse(fmt::format("numpy type '{}'; bytes (u1), bools (b1), whole numbers, f4 and f8 are understood",
                         type.substr(0, 20)));
    push(Kind::DataType).type = type == "?" ? "b1" : type;
  } else if (name == "reconstruct" && count == 3 && argument(0).kind == Kind::Callable &&
             argument(0).bytes == "ndarray") {
    push(Kind::Array);  // BUILD brings shape, type and values
  } else if (name == "scalar" && count == 2) {
    const auto& raw = argument(1);
    if (argument(0).kind != Kind::DataType || argument(0).type.starts_with('O') ||
        raw.kind != Kind::ByteString || raw.bytes.size() != width_of(argument(0).type))
      refuse("a numpy scalar without its value");
    auto& scalar = push(Kind::Array);  // of one value
    scalar.bytes = raw.bytes;
    scalar.type = argument(0).type;
  } else if (name == "frombuffer" && count == 4) {
    set_array(push(Kind::Array), arguments.items[2], argument(1), argument(0));
  } else {
    refuse(fmt::format("a call of '{}' with {} arguments of a kind that is not understood", name, count));
  }
}

void PackMachine::build() {
  const auto& state = value(pop());
  auto& object = value(top());
  if (object.kind == Kind::DataType && state.kind == Kind::Tuple) {
    // (version, byte order, subarray, names, fields, size, alignment, flags)
    if (state.items.size() > 1 && value(state.items[1]).bytes == ">" && width_of(object.type) > 1)
      refuse("numbers with the high byte first");
    for (std::size_t i = 2; i < std::min<std::size_t>(state.items.size(), 5); ++i)
      if (value(state.items[i]).kind != Kind::None) refuse("a numpy type with fields");
    return;
  }
  if (object.kind != Kind::Array || state.kind != Kind::Tuple || state.items.size() != 5)
    refuse("giving a state to " + Pickle::name_of(object.kind));
  // (version, shape, type, Fortran order, raw values); with one long side the order plays no part.
  set_array(object, state.items[1], value(state.items[2]), value(state.items[4]));
}

}  // namespace

void refuse_pack(std::uint64_t offset, const std::string& found, std::string_view remedy) {
  throw DataError(fmt::format(
      "reading a pickle: byte {}: {}; the file is damaged or is not an InsightFace verification pack{}",
      offset, found, remedy));
}

Pickle read_pack_pickle(std::string_view bytes) {
  Pickle pickle;
  PackMachine(bytes, pickle).run();
  return pickle;
}

}  // namespace facemae
