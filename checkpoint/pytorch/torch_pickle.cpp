#include "checkpoint/pytorch/torch_pickle.h"

#include "core/error.h"
#include "core/log.h"
#include "core/pickle/pickle_machine.h"

namespace facemae {

namespace {

using Kind = PickleValue::Kind;

constexpr std::size_t kMostValues = 1 << 20;  // a network of 20,000 tensors has 600,000
constexpr std::size_t kMostSides = 64;

class TorchMachine final : public PickleMachine {
 public:
  TorchMachine(std::string_view bytes, TorchPickle& out, const std::string& from)
      : PickleMachine(bytes, out.pickle, kMostValues), torch_(out), from_(from) {}

 private:
  [[noreturn]] void refuse(const std::string& found, std::string_view remedy = "") const override {
    throw DataError(
        fmt::format("reading {}: data.pkl, byte {}: {}; the file is damaged, or not one of torch.save{}",
                    from_, opcode_at_, found, remedy));
  }
  std::string_view rewrite() const override {
    return ". If you trust who made it, PyTorch writes it anew: torch.save(torch.load(\"OLD\", map_location=\"cpu\"), \"NEW\")";
  }
  std::string_view what() const override { return "a file of torch.save"; }

  void push_callable(std::string_view module, std::string_view name) override {
    charge(module.size() + name.size());
    push_bytes(Kind::Callable, keep(fmt::format("{}.{}", module, name)));
  }
  void push_object(std::string_view name) { push_bytes(Kind::Object, name); }
  void push_again(std::uint32_t number) { stack_.push_back(number); }

  void call() override;
  /// Attributes of whatever it is: `_metadata` of a state dict, for instance.
  void build() override {
    pop();
    top();
  }
  void step(std::uint8_t opcode) override;
  void step_objects(std::uint8_t opcode);
  void make(const PickleValue& maker, const PickleValue& arguments);
  void set_items(const std::vector<std::uint32_t>& items);
  void push_storage(const PickleValue& id);
  bool push_tensor(std::string_view how, const PickleValue& arguments);
  std::vector<std::int64_t> numbers(const PickleValue& tuple, std::string_view of) const;

  TorchPickle& torch_;
  const std::string& from_;
};

/// ("storage", torch.FloatStorage, key, device, values)
void TorchMachine::push_storage(const PickleValue& id) {
  const auto part = [&](std::size_t i) -> const PickleValue& { return value(id.items[i]); };
  if (id.kind != Kind::Tuple || id.items.size() < 5 || part(0).bytes != "storage")
    return push_object("a persistent id");
  if (part(2).kind != Kind::Text || part(4).kind != Kind::Int || part(4).number < 0)
    refuse("a storage without a key, or without its number of values");
  constexpr std::string_view kHome = "torch.";
  const std::string_view name = part(1).bytes;
  const bool of_torch = part(1).kind == Kind::Callable && name.starts_with(kHome);
  const TorchType* known = of_torch ? torch_type_of_storage(name.substr(kHome.size())) : nullptr;
  if (known == nullptr) return push_object(name);
  const auto number = static_cast<std::int64_t>(torch_.storages.size());
  torch_.storages.push_back({part(2).bytes, known->type, static_cast<std::uint64_t>(part(4).number)});
  push_number(Kind::Storage, number);
}

std::vector<std::int64_t> TorchMachine::numbers(const PickleValue& tuple, std::string_view of) const {
  if (tuple.kind != Kind::Tuple || tuple.items.size() > kMostSides)
    refuse(fmt::format("a tensor whose {} is no tuple of up to {} numbers", of, kMostSides));
  std::vector<std::int64_t> all;
  for (const auto item : tuple.items) {
    const auto& number = out_.at(item);
    if (number.kind != Kind::Int || number.number < 0)
      refuse(fmt::format("a tensor whose {} has something else than numbers from 0 on", of));
    all.push_back(number.number);
  }
  return all;
}

/// (storage, first value, shape, strides, ...); false when the storage is of a kind that is not known here.
bool TorchMachine::push_tensor(std::string_view how, const PickleValue& arguments) {
  if (arguments.items.size() < 4) refuse(fmt::format("{} with {} arguments", how, arguments.items.size()));
  const auto& storage = value(arguments.items[0]);
  const auto& first = value(arguments.items[1]);
  if (storage.kind == Kind::Object) return false;
  if (storage.kind != Kind::Storage) refuse(fmt::format("{} of {} instead of a storage", how, told(storage)));
  if (first.kind != Kind::Int || first.number < 0) refuse("a tensor that begins before its storage");
  constexpr std::size_t kMetadata = 6;
  if (arguments.items.size() > kMetadata && !value(arguments.items[kMetadata]).items.empty())
    refuse(
        "a tensor whose values are those of its storage only after a change (conj or neg): save tensor.clone()");
  TorchTensor tensor{static_cast<std::size_t>(storage.number), first.number,
                     numbers(value(arguments.items[2]), "shape"),
                     numbers(value(arguments.items[3]), "strides"), 1};
  if (tensor.shape.size() != tensor.strides.size()) refuse("a tensor that has not as many strides as sides");
  // The greatest place that it looks at, and how many values it has: neither may overflow.
  const std::uint64_t held = torch_.storages[tensor.storage].values;
  std::uint64_t last = static_cast<std::uint64_t>(tensor.first);
  bool beyond = false, empty = false;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    const auto side = static_cast<std::uint64_t>(tensor.shape[i]);
    std::uint64_t way = 0;
    empty |= side == 0;
    if (side == 0) continue;
    beyond |= __builtin_mul_overflow(tensor.values, side, &tensor.values);
    beyond |= __builtin_mul_overflow(side - 1, static_cast<std::uint64_t>(tensor.strides[i]), &way);
    beyond |= __builtin_add_overflow(last, way, &last);
  }
  beyond |= tensor.values > std::uint64_t{1} << 48;
  if (empty) {
    tensor.values = 0;
    last = static_cast<std::uint64_t>(tensor.first);
  }
  if (beyond || (empty ? last > held : last >= held))
    refuse(fmt::format("a tensor of more values than its storage, member data/{}, has ({})",
                       torch_.storages[tensor.storage].key, held));
  const auto number = static_cast<std::int64_t>(torch_.tensors.size());
  torch_.tensors.push_back(std::move(tensor));
  push_number(Kind::Tensor, number);
  return true;
}

void TorchMachine::call() {
  const auto& arguments = value(pop());
  make(value(pop()), arguments);
}

/// Of calls, only those that tensors and dicts are written with have a meaning.
void TorchMachine::make(const PickleValue& maker, const PickleValue& arguments) {
  if (arguments.kind != Kind::Tuple) refuse("a call with " + told(arguments) + " instead of arguments");
  const std::string_view name = maker.kind == Kind::Callable ? maker.bytes : "what is no callable";
  const auto& given = arguments.items;
  if (name == "collections.OrderedDict" || name == "collections.defaultdict") {
    const std::vector<std::uint32_t> pairs =  // how Python 2 wrote those with content
        given.size() == 1 && value(given[0]).kind == Kind::List ? value(given[0]).items
                                                                : std::vector<std::uint32_t>();
    std::vector<std::uint32_t> items;
    for (const auto pair : pairs) {
      if (value(pair).items.size() != 2) refuse("an OrderedDict of something else than pairs");
      items.insert(items.end(), value(pair).items.begin(), value(pair).items.end());
    }
    charge(pairs.size());
    push(Kind::Dict).items = std::move(items);
  } else if (name == "torch._utils._rebuild_tensor_v2" || name == "torch._utils._rebuild_tensor") {
    if (!push_tensor(name, arguments)) push_object(value(given[0]).bytes);
  } else if (name.starts_with("torch._utils._rebuild_parameter") && !given.empty()) {
    push_again(given[0]);
  } else if (name == "torch._tensor._rebuild_from_type_v2" && given.size() >= 3 &&
             value(given[2]).kind == Kind::Tuple &&
             value(given[0]).bytes == "torch._utils._rebuild_tensor_v2") {
    make(value(given[0]), value(given[2]));
  } else {
    push_object(name);
  }
}

void TorchMachine::set_items(const std::vector<std::uint32_t>& items) {
  auto& dict = value(top());
  if (items.size() % 2 != 0) refuse("a key without a value");
  if (dict.kind == Kind::Object) return;
  if (dict.kind != Kind::Dict) refuse("setting items of " + told(dict));
  dict.items.insert(dict.items.end(), items.begin(), items.end());
}

void TorchMachine::step(std::uint8_t opcode) {
  switch (opcode) {
    case 'a': {
      const auto item = pop();
      if (value(top()).kind != Kind::Object) append({item});
      return;
    }
    case 'e': {
      const auto items = pop_to_mark();
      if (value(top()).kind != Kind::Object) append(items);
      return;
    }
    case 's': {
      const auto item = pop(), key = pop();
      return set_items({key, item});
    }
    case 'u':
      return set_items(pop_to_mark());
    case 'd': {
      const auto items = pop_to_mark();
      push(Kind::Dict);
      return set_items(items);
    }
    case 'Q':
      return push_storage(value(pop()));
    case '0':
      pop();
      return;
    case '1':
      pop_to_mark();
      return;
    case '2':
      return push_again(top());
    default:
      return step_objects(opcode);
  }
}

/// What makes objects of others: they are passed over.
void TorchMachine::step_objects(std::uint8_t opcode) {
  switch (opcode) {
    case 0x92:  // NEWOBJ_EX has a dict on top
      pop();
      [[fallthrough]];
    case 0x81:
      return call();
    case 'i':  // INST: module and name are lines
      line();
      line();
      pop_to_mark();
      return push_object("an instance of Python 2");
    case 'o':  // OBJ
      pop_to_mark();
      return push_object("an instance of Python 2");
    case 0x8f:
      return push_object("a set");
    case 0x90:
      pop_to_mark();
      top();
      return;
    case 0x91:
      pop_to_mark();
      return push_object("a set");
    case 0x8a:
    case 0x8b: {
      const auto width = unsigned_number(opcode == 0x8a ? 1 : 4);
      if (width <= sizeof(std::int64_t)) return push_long(width);
      take(width);
      return push_object("a number beyond 64 bits");
    }
    default:
      return PickleMachine::step(opcode);
  }
}

}  // namespace

TorchPickle read_torch_pickle(std::string_view bytes, const std::string& from) {
  TorchPickle read;
  TorchMachine(bytes, read, from).run();
  return read;
}

}  // namespace facemae
