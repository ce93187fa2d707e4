"""What steps on many GPUs would take, computed: nothing here was measured on a GPU. docs/PERFORMANCE.md, "At scale,
computed", has the tables, the assumptions, and what would show each to be wrong.

usage: scale_model.py                                   the tables, as Markdown
       scale_model.py --step NETWORK name=value...      one step in parts; images=N of each GPU, mfu=X, the rest as below
       scale_model.py --volumes CONFIG[,name=value...] [--json]
                        what a step sends, by kind; CONFIG: a run's config.txt, or fields of Config (model_costs.py) too,
                        for example model=tiny,patch=28,batch=6,ranks=2
Standard library only.
"""
import dataclasses
import json
import math
import pathlib
import sys

import model_costs
from model_costs import Config


@dataclasses.dataclass(frozen=True)
class Network:
    """Bandwidths in bytes a second. `node`: bus bandwidth of a ring over the GPUs of a node; `card`: what a GPU sends out of
    its node; `hop`: how much slower a hop between nodes is than NCCL assumes for InfiniBand."""
    name: str
    peak: float  # dense bfloat16, operations a second
    node: float
    card: float
    hop: float = 1
    gpus: int = 8


# Where each figure comes from is in the document's table of assumptions.
NETWORKS = (Network("H100, NDR400", 989e12, 360e9, 46e9), Network("A100, HDR200", 312e12, 235e9, 24e9),
            Network("H100, EFA", 989e12, 360e9, 46e9, hop=7.7))

# NCCL's own model of time (src/graph/tuning.cc at 01afd20): microseconds of a start and of a hop for the protocols LL, LL128
# and Simple, and the share of the bus bandwidth that each reaches.
BASE = {"tree": (4.4, 4.4, 0), "ring": (3.6, 10.0, 8.4)}
NODE_HOP = {"tree": (0.52, 1.2, 28), "ring": (0.47, 1.9, 3.4)}
NET_HOP = {"tree": (5.0, 8.5, 50), "ring": (2.7, 4.0, 9.6)}
SHARE = {"tree": (0.9 / 3.8, 0.9 * 0.915, 0.9), "ring": (1 / 4, 0.92, 1)}


def seconds(network, verb, size, ranks):
    """Of a collective whose larger tensor has `size` bytes, by the fastest algorithm and protocol."""
    if ranks == 1:
        return 0.0
    nodes = max(1, ranks // network.gpus)
    bus = network.node if nodes == 1 else min(network.node, network.gpus * network.card)
    both = 2 if verb == "all_reduce" else 1
    found = math.inf
    for algorithm in ("ring", "tree") if both == 2 else ("ring",):
        for protocol in range(3):
            node_hop = NODE_HOP[algorithm][protocol] * (1.8 if nodes > 1 and protocol == 0 else 1)
            net_hop = NET_HOP[algorithm][protocol] * network.hop
            if algorithm == "ring":
                hops, between, sent = both * (ranks - 1), both * (nodes - 1), size * both * (ranks - 1) / ranks
                latency = (hops - between) * node_hop + between * net_hop
            else:
                latency, sent = 2 * ((ranks // nodes - 1) * node_hop + math.log2(nodes) * net_hop), 2 * size
            found = min(found, 1e-6 * (BASE[algorithm][protocol] + latency) + sent / (bus * SHARE[algorithm][protocol]))
    return found


@dataclasses.dataclass(frozen=True)
class Assumed:
    mfu: float  # of all products, of the card's peak in bfloat16; what stays TF32 has half of the peak
    launch: float = 5e-6  # seconds of the host for a kernel, eager


@dataclasses.dataclass(frozen=True)
class Step:
    """Seconds. `alone`: of one GPU with as many images and classes, which relates no faces of others."""
    alone: float
    compute: float
    reduction: float  # of all gradients, hidden or not
    exposed: float  # of communication that nothing hides
    step: float

    @property
    def efficiency(self):
        return self.alone / self.step


def compute_of(config, network, assumed):
    """Seconds of the network's products, and of those beside it."""
    images = config.batch / config.ranks
    main = images * model_costs.network_flops(config) / (network.peak * assumed.mfu)
    embedder = model_costs.embedder_flops(config) * (1 if config.relation_bytes == 2 else 2)
    beside = images * (embedder + 2 * model_costs.beside_flops(config)) / (network.peak * assumed.mfu)
    slower = max(1, model_costs.kernels(config) * assumed.launch / (main + beside))  # the host may be what is slow
    return main * slower, beside * slower


def step_of(config, network, assumed):
    """The network's forward third, what couples the faces of all ranks, backward with buckets reduced one after the other as
    their last gradient is there, then the rest."""
    main, beside = compute_of(config, network, assumed)
    forward, backward = main / 3, main * 2 / 3
    messages = model_costs.volumes(config)

    def time_of(message):
        return message.calls * seconds(network, message.verb, message.bytes / message.calls, config.ranks)

    coupling = sum(time_of(m) for m in messages if m.when == "coupling")
    coupling += max(0, sum(time_of(m) for m in messages if m.when == "forward") - forward)
    after = sum(time_of(m) for m in messages if m.when == "after")

    # When backward has passed each layer: the last one first, each after its part of the multiply-adds.
    work = [layer.multiply_adds for layer in model_costs.layers(config)]
    passed, done = [0.0] * len(work), 0.0
    for index in reversed(range(len(work))):
        done += work[index]
        passed[index] = backward * done / sum(work)
    verb = "reduce_scatter" if config.shard_optimizer else "all_reduce"
    value = 2 if config.gradient_dtype == "bfloat16" else 4
    end = sum(time_of(m) for m in messages if m.purpose == "centres' gradient")  # there before backward begins
    reduction = end
    for bucket in model_costs.buckets(config):
        takes = seconds(network, verb, value * model_costs.bucket_values(config, bucket), config.ranks)
        end = max(end, max(passed[layer] for _, layer in bucket)) + takes
        reduction += takes
    exposed = coupling + max(0, end - backward) + after
    single = dataclasses.replace(config, ranks=1, batch=config.batch // config.ranks)
    return Step(sum(compute_of(single, network, assumed)), main + beside, reduction, exposed, main + beside + exposed)


# Images of each GPU and model FLOPs utilisation, both assumed.
WORKLOADS = (("FaceMAE base, patch 8", "base", 256, 0.35), ("FaceMAE huge, patch 8", "huge", 64, 0.45),
             ("iresnet50, 2 M classes", "iresnet50", 128, 0.20), ("iresnet100, 2 M classes", "iresnet100", 128, 0.25))
PLAIN = {}
NEW = {"relation_form": "auto", "relation_bytes": 2, "embedder_grid": 2, "gradient_dtype": "bfloat16", "aligned": True, "packed_labels": True}
VARIANTS = (("0.1.0", PLAIN), ("less sent", NEW), ("and ZeRO-1", NEW | {"shard_optimizer": True}))


def workload(model, images, ranks, changes):
    changes = dict(changes)
    if changes.get("aligned"):  # whose runs choose the size of buckets by the number of ranks
        changes["bucket_mib"] = min(200, max(25, 25 * ranks // 128))
    return Config(model, batch=images * ranks, ranks=ranks, classes=2_000_000, **changes)


def tables():
    for network in NETWORKS:
        yield f"\n| {network.name}: ms of a step, of it exposed, efficiency at | sent as | 8 GPUs | 64 | 512 |\n|---|---|---|---|---|"
        for title, model, images, mfu in WORKLOADS:
            for name, changes in VARIANTS:
                steps = [step_of(workload(model, images, ranks, changes), network, Assumed(mfu)) for ranks in (8, 64, 512)]
                cells = [f"{1e3 * s.step:.0f}, {1e3 * s.exposed:.1f}, {s.efficiency:.2f}" for s in steps]
                yield f"| {title}, {images} a GPU | {name} | " + " | ".join(cells) + " |"


def tell_volumes(config, as_json):
    messages = model_costs.volumes(config)
    each = [m for m in messages if m.when != "figures"]
    told = {"config": dataclasses.asdict(config), "parameters": model_costs.parameters(config),
            "kernels": model_costs.kernels(config), "step": model_costs.totals(each), "figures": model_costs.totals(m for m in messages if m.when == "figures"),
            "messages": [dataclasses.asdict(m) for m in messages]}
    if as_json:
        return json.dumps(told, indent=1)
    lines = [f"{m.purpose:24} {m.verb:15} {m.calls:4} calls {m.bytes:15,} bytes  {m.when}" for m in messages]
    return "\n".join(lines or ["one rank sends nothing"])


def main(words):
    if not words:
        return "\n".join(tables())
    if words[0] == "--volumes" and len(words) in (2, 3) and words[2:] in ([], ["--json"]):
        first, *rest = words[1].split(",")
        config = model_costs.config_of([first, *rest]) if "=" in first else model_costs.config_of_run(pathlib.Path(first).read_text(), rest)
        return tell_volumes(config, len(words) == 3)
    if words[0] == "--step" and len(words) > 2:
        network = next((n for n in NETWORKS if n.name == words[1]), None)
        if network is None:
            raise ValueError(f"{words[1]}: one of {'; '.join(n.name for n in NETWORKS)}")
        own = dict(word.split("=", 1) for word in words[2:] if word.startswith(("images=", "mfu=")))
        config = model_costs.config_of(word for word in words[2:] if not word.startswith(("images=", "mfu=")))
        if "images" in own:
            config = dataclasses.replace(config, batch=int(own["images"]) * config.ranks)
        step = step_of(config, network, Assumed(float(own.get("mfu", 0.3))))
        return "\n".join(f"{name:10} {1e3 * value:9.3f} ms" for name, value in dataclasses.asdict(step).items()) + \
            f"\nefficiency {step.efficiency:9.3f}"
    raise ValueError(__doc__)


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]))
    except ValueError as fault:
        sys.exit(str(fault))
