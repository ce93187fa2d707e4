"""What a training step costs, as pure functions of its configuration: parameters, floating-point operations, kernels, and
what each rank sends. Nothing here is measured. Shapes are those of model/facemae/ and model/recognition/, in the order of
named_parameters(); what travels is what trainer/step/, model/facemae/relation.cpp and model/softmax/class_shards.cpp
issue. Standard library only.
"""
import dataclasses

EMBEDDING = 512
# width, depth, heads, decoder width, depth, heads: model/facemae/face_mae_config.cpp
FACE_MAE = {"tiny": (192, 6, 3, 96, 2, 3), "small": (384, 8, 6, 192, 4, 6), "base": (768, 12, 12, 512, 8, 16),
            "large": (1024, 24, 16, 512, 8, 16), "huge": (1280, 32, 16, 512, 8, 16)}
# blocks of the four stages, widths, pooled: model/recognition/iresnet.cpp
IRESNET = {"iresnet-tiny": ((1, 1, 1, 1), (16, 32, 64, 128), True), "iresnet18": ((2, 2, 2, 2), (64, 128, 256, 512), False),
           "iresnet34": ((3, 4, 6, 3), (64, 128, 256, 512), False), "iresnet50": ((3, 4, 14, 3), (64, 128, 256, 512), False),
           "iresnet100": ((3, 13, 30, 3), (64, 128, 256, 512), False)}
# Launches in bfloat16, forward and backward together, casts of autocast included, as a stand-in for the GPU counts them:
# tests/rehearsal/counters_test.cpp compares. Of a layer by its kind, of what else a micro-batch has (FaceMAE's other layers
# and loss, a relation of pairs, or a recognition network's ends and its softmax), of a step, and of a bucket.
KERNELS = {"vit": 72, "conv": 33, "pool": 5}
KERNELS_BESIDE = {"mae": 124, "relation": 108, "recognition": 205}
KERNELS_OF_STEP = {"mae": 19, "recognition": 42, "bucket": 3}


@dataclasses.dataclass(frozen=True)
class Config:
    """Of a run; names and defaults are those of the options where they exist."""
    model: str  # a size of FaceMAE, or a recognition network
    batch: int = 4096  # of all ranks
    ranks: int = 1
    accumulate: int = 1
    image: int = 112
    patch: int = 8
    mask_ratio: float = 0.75
    relation: str = "cosine"  # or none
    relation_form: str = "pairs"  # auto: by three D x D sums where D is less than the batch
    relation_bytes: int = 4  # of a value that the embedder computes, and of the rows that travel, unless by sums or as in 0.1.0 (pairs)
    embedder_size: int = 56
    embedder_width: int = 128
    embedder_grid: int = 0  # 0: the whole map
    classes: int = 1000
    centres: str = "sharded"  # over all ranks; replicated: every rank has all, and their gradients are summed
    packed_labels: bool = False  # in one gather with the embeddings
    gradient_dtype: str = "float32"
    shard_optimizer: bool = False
    bucket_mib: int = 25
    aligned: bool = False  # slots of a bucket begin at multiples of 64 bytes
    gpu: bool = True  # whose ranks vote by a message of their devices; hosts of CPUs ask each other

    def __post_init__(self):
        if self.model not in FACE_MAE and self.model not in IRESNET:
            raise ValueError(f"model {self.model}: one of {', '.join([*FACE_MAE, *IRESNET])}")
        if self.relation not in ("cosine", "none"):
            raise ValueError(f"relation {self.relation}: what it sends is not modelled, only cosine and none")
        if self.batch % (self.accumulate * self.ranks):
            raise ValueError(f"batch {self.batch} is not a multiple of {self.ranks} ranks x {self.accumulate} micro-batches")

    @property
    def pretrains(self):
        return self.model in FACE_MAE

    @property
    def embedding(self):  # values of a face that relations compare
        side = self.embedder_size // 8
        grid = min(self.embedder_grid or side, side)
        return self.embedder_width * grid * grid


@dataclasses.dataclass(frozen=True)
class Layer:
    """Parameters as (values, weight decay), multiply-adds of one image's forward pass, values of running statistics."""
    kind: str
    parameters: tuple
    multiply_adds: int
    statistics: int = 0


def _linear(inputs, outputs, tokens, kind="linear"):
    return Layer(kind, ((inputs * outputs, True), (outputs, False)), inputs * outputs * tokens)


def _norm(width):
    return ((width, False), (width, False))


def _vit_block(width, tokens):
    parameters = (*_norm(width), (3 * width * width, True), (3 * width, False), (width * width, True), (width, False),
                  *_norm(width), (4 * width * width, True), (4 * width, False), (4 * width * width, True), (width, False))
    return Layer("vit", parameters, 12 * width * width * tokens + 2 * tokens * tokens * width)


def kept_patches(config):
    """As kept_patches() of model/facemae/masking.cpp."""
    return max(1, int((config.image // config.patch) ** 2 * (1 - config.mask_ratio)))


def face_mae_layers(config):
    width, depth, _, decoder_width, decoder_depth, _ = FACE_MAE[config.model]
    patches, values, kept = (config.image // config.patch) ** 2, 3 * config.patch ** 2, kept_patches(config)
    yield Layer("rest", ((width, True), (decoder_width, True)), 0)  # the two tokens
    yield _linear(values, width, kept)  # the convolution that projects patches
    for _ in range(depth):
        yield _vit_block(width, 1 + kept)
    yield Layer("rest", _norm(width), 0)
    yield _linear(width, decoder_width, 1 + kept)
    for _ in range(decoder_depth):
        yield _vit_block(decoder_width, 1 + patches)
    yield Layer("rest", _norm(decoder_width), 0)
    yield _linear(decoder_width, values, 1 + patches)


def iresnet_layers(config):
    """Every parameter decays; the last norm's scale is fixed."""
    blocks, widths, pooled = IRESNET[config.model]
    side, width = config.image, widths[0]
    yield Layer("conv", ((27 * width, True), (width, True), (width, True), (width, True)), 27 * width * side ** 2, 2 * width)
    for stage, count in enumerate(blocks):
        for i in range(count):
            out, stride = widths[stage], 2 if i == 0 else 1
            first = 9 * width * out * side ** 2
            side //= stride
            parameters = [width, width, 9 * width * out, out, out, out, 9 * out * out, out, out]
            multiply_adds, statistics = first + 9 * out * out * side ** 2, 2 * (width + 2 * out)
            if stride == 2:
                parameters += [width * out, out, out]
                multiply_adds, statistics = multiply_adds + width * out * side ** 2, statistics + 2 * out
            yield Layer("conv", tuple((n, True) for n in parameters), multiply_adds, statistics)
            width = out
    yield Layer("rest", ((width, True), (width, True)), 0, 2 * width)
    if pooled:
        yield Layer("pool", ((width * side * side, True),), width * side * side)
    flat = width if pooled else width * side * side
    parameters = ((flat * EMBEDDING, True), (EMBEDDING, True), (EMBEDDING, True))  # fc, and the last norm's shift
    yield Layer("linear", parameters, flat * EMBEDDING, 2 * EMBEDDING)


def layers(config):
    return list(face_mae_layers(config) if config.pretrains else iresnet_layers(config))


def parameters(config):
    return sum(n for layer in layers(config) for n, _ in layer.parameters)


def network_flops(config):
    """Of one image: forward once and backward twice that, two operations for a multiply-add."""
    return 6 * sum(layer.multiply_adds for layer in layers(config))


def embedder_flops(config):
    """Of one image: the real and the rebuilt picture, and backward to the latter's pixels."""
    if not config.pretrains or config.relation == "none":
        return 0
    side, width = config.embedder_size, config.embedder_width
    return 6 * sum(9 * inputs * width * (side >> i) ** 2 for i, inputs in enumerate((3, width, width)))


def beside_flops(config):
    """Of one image, in products that stay float32 or TF32: the relation, or the class products (logits, and both gradients
    of them)."""
    if not config.pretrains:
        return 6 * EMBEDDING * config.classes  # a rank has 1/W of the classes and the images of W ranks
    if config.relation == "none":
        return 0
    rows = config.batch // config.accumulate
    return 2 * (7 * config.embedding ** 2 if by_sums(config) else 4 * rows * config.embedding)


def kernels(config):
    """Launches of a step on one rank."""
    task = "mae" if config.pretrains else "recognition"
    own = sum(KERNELS.get(layer.kind, 0) for layer in layers(config)) + KERNELS_BESIDE[task]
    if config.pretrains and config.relation != "none":
        own += KERNELS_BESIDE["relation"]
    return config.accumulate * own + KERNELS_OF_STEP[task] + KERNELS_OF_STEP["bucket"] * len(buckets(config))


def by_sums(config):
    return config.relation_form == "auto" and config.embedding < config.batch // config.accumulate


def buckets(config):
    """Lists of (values, index of the layer) in the order of reduction: group_parameters() of gradient_buckets.cpp."""
    flat = [(n, decay, index) for index, layer in enumerate(layers(config)) for n, decay in layer.parameters]
    closed, open_, held = [], {True: [], False: []}, {True: 0, False: 0}
    for position in reversed(range(len(flat))):
        n, decay, index = flat[position]
        open_[decay].append((n, index, position))
        held[decay] += 4 * n
        if held[decay] >= (config.bucket_mib << 20 if closed else 1 << 20):
            closed.append(open_[decay])
            open_[decay], held[decay] = [], 0
    closed += sorted((group for group in open_.values() if group), key=lambda group: -group[-1][2])
    return [[(n, index) for n, index, _ in group] for group in closed]


def bucket_values(config, bucket):
    if not (config.aligned or config.shard_optimizer):
        return sum(n for n, _ in bucket)
    size = sum(-(-n // 16) * 16 for n, _ in bucket)
    whole = 16 * config.ranks if config.shard_optimizer else 16
    return -(-size // whole) * whole


@dataclasses.dataclass(frozen=True)
class Message:
    """Collectives of one step of one rank. `bytes`: of the larger tensor handed to the verb, which is `out` of an
    all_gather and `in` of a reduce_scatter, all calls together. `when`: forward, coupling (between forward and backward),
    backward (with buckets), after; figures: with a line of metrics only."""
    purpose: str
    verb: str
    calls: int
    bytes: int
    when: str


def volumes(config):
    """Everything that a step sends through the Communicator (cluster/tensors/communicator.h), at a fixed --relation-weight,
    without --relation-center and --exact, relations within micro-batches. One rank sends nothing; its calls are not told."""
    if config.ranks == 1:
        return []
    rows, times, found = config.batch // config.accumulate, config.accumulate, []

    def say(purpose, verb, calls, total, when):
        found.append(Message(purpose, verb, calls, total, when))

    if config.pretrains and config.relation != "none":
        width = config.embedding
        if by_sums(config):
            say("relation sums", "all_reduce", times, times * 12 * width * width, "coupling")
            say("relation figure", "all_reduce", times, times * 8 * (2 * width + 5), "figures")
        else:
            before = config.relation_form == "pairs"
            value = 4 if before else config.relation_bytes
            say("real rows", "all_gather", times, times * rows * width * value, "coupling" if before else "forward")
            say("rebuilt rows", "all_gather", times, times * rows * width * value, "coupling")
            say("relation figure", "all_reduce", 2 * times, times * 32, "coupling" if before else "figures")
            say("rebuilt rows' gradient", "reduce_scatter", times, times * rows * width * 4, "coupling")
    if not config.pretrains and config.centres == "sharded":
        if config.packed_labels:
            say("embeddings and labels", "all_gather", times, times * rows * (EMBEDDING + 1) * 4, "coupling")
        else:
            say("embeddings", "all_gather", times, times * rows * EMBEDDING * 4, "coupling")
            say("labels", "all_gather", times, times * rows * 8, "coupling")
        say("largest logits", "all_reduce", times, times * 8 * rows, "coupling")
        say("softmax sums", "all_reduce", times, times * 4 * (rows + 1), "coupling")
        say("embeddings' gradient", "reduce_scatter", times, times * rows * EMBEDDING * 4, "coupling")
    if not config.pretrains and config.centres == "replicated":
        say("centres' gradient", "all_reduce", 1, 4 * EMBEDDING * config.classes, "backward")
    sizes = [bucket_values(config, bucket) for bucket in buckets(config)]
    value = 2 if config.gradient_dtype == "bfloat16" else 4
    verb = "reduce_scatter" if config.shard_optimizer else "all_reduce"
    say("gradients", verb, len(sizes), value * sum(sizes), "backward")
    if config.shard_optimizer:
        say("gradient norm", "all_reduce", 1, 4, "after")
        say("weights", "all_gather", len(sizes), 4 * sum(sizes), "after")
    if not config.pretrains:
        say("batch statistics", "all_reduce", 1, 4 * sum(layer.statistics for layer in layers(config)), "after")
    if config.gpu:
        say("vote", "all_reduce", 1, 4 * 5, "after")
    say("metrics", "all_reduce", 1, 4 * ((4 if config.pretrains else 2) + 4), "figures")
    return found


def totals(messages):
    """By verb: {"all_reduce": {"calls": ..., "bytes": ...}, ...}."""
    sums = {}
    for message in messages:
        one = sums.setdefault(message.verb, {"calls": 0, "bytes": 0})
        one["calls"] += message.calls
        one["bytes"] += message.bytes
    return sums


def config_of(words):
    """A Config of words name=value, names with - or _."""
    kinds, given = {field.name: field.type for field in dataclasses.fields(Config)}, {}
    for word in words:
        name, _, value = word.partition("=")
        name = name.replace("-", "_")
        if name not in kinds:
            raise ValueError(f"{word}: one of {', '.join(kinds)}")
        given[name] = value == "yes" if kinds[name] in (bool, "bool") else kinds[name](value)
    return Config(**given)


def config_of_run(text, words):
    """A Config of a run's config.txt; what it does not tell (ranks, classes) and changes come as words."""
    run = dict(line.split(" = ", 1) for line in text.splitlines() if " = " in line)
    if run.get("exact") == "yes":
        raise ValueError("--exact sends in a tree, which is not modelled")
    if "network" in run:
        run["model"] = run["network"]
    names = ("model", "batch", "accumulate", "patch", "mask-ratio", "relation", "relation-form", "embedder-size", "embedder-width",
             "embedder-grid", "gradient-dtype", "shard-optimizer", "bucket-mib")
    found = [f"{name}={run[name]}" for name in names if name in run]
    if "bucket-mib" in run:  # which runs of before lack, as they lack the gaps between slots
        found.append("aligned=yes")
    if run.get("precision") == "bfloat16" and run.get("relation-precision") == "same":
        found.append("relation-bytes=2")
    return config_of([*found, *words])
