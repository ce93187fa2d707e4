"""bench/model_costs.py and bench/scale_model.py against numbers computed by hand.

usage: scale_model_test.py BENCH DOCUMENT      BENCH: the folder of both; DOCUMENT: docs/PERFORMANCE.md
"""
import json
import subprocess
import sys
import unittest

document, bench = sys.argv.pop(), sys.argv.pop()
sys.path.insert(0, bench)
import model_costs
import scale_model
from model_costs import Config


class Costs(unittest.TestCase):
    def test_parameters_are_those_of_the_networks(self):
        # Of tests/unit/model/recognition/recognition_test.cpp, without the 512 values of the scale that is fixed.
        for name, count in (("iresnet18", 24025600), ("iresnet50", 43590848), ("iresnet100", 65156160), ("iresnet-tiny", 381936)):
            self.assertEqual(model_costs.parameters(Config(name, batch=8)), count - 512)
        # The official MAE of 224 pixels has 111,907,840 with its tables of 197 positions.
        self.assertEqual(model_costs.parameters(Config("base", batch=8, image=224, patch=16)), 111907840 - 197 * (768 + 512))

    def test_a_block_of_base_multiplies_as_often_as_its_matrices_say(self):
        kept = 1 + model_costs.kept_patches(Config("base", batch=8))
        self.assertEqual(kept, 50)
        block = model_costs.layers(Config("base", batch=8))[2]
        self.assertEqual(block.multiply_adds, 50 * 768 * (3 * 768 + 768 + 2 * 4 * 768) + 2 * 50 * 50 * 768)

    def test_iresnet50_takes_what_is_published(self):
        self.assertAlmostEqual(model_costs.network_flops(Config("iresnet50", batch=8)) / 6e9, 6.3, delta=0.05)

    def test_class_products_of_a_rank_do_not_depend_on_the_number_of_ranks(self):
        costs = {model_costs.beside_flops(Config("iresnet50", batch=64, ranks=ranks, classes=1000)) for ranks in (1, 8)}
        self.assertEqual(costs, {3 * 2 * 512 * 1000})

    def test_the_embedder_takes_half_the_time_in_bfloat16(self):
        by = {value: scale_model.compute_of(Config("tiny", batch=4096, embedder_grid=2, relation_form="auto", relation_bytes=value), Time.ib,
                                            scale_model.Assumed(mfu=0.5, launch=0))[1] for value in (2, 4)}
        self.assertAlmostEqual(by[4] - by[2], 4096 * model_costs.embedder_flops(Config("tiny", batch=4096)) / 0.5e15, places=12)

    def test_launches_are_those_that_were_counted(self):
        counted = {"tiny": 836, "small": 1128, "iresnet-tiny": 423, "iresnet18": 553, "iresnet50": 1090}  # on two ranks
        for model, launches in counted.items():
            self.assertAlmostEqual(model_costs.kernels(Config(model, batch=8, aligned=True)), launches, delta=2)
        one, two = (model_costs.kernels(Config("tiny", batch=8, aligned=True, accumulate=n)) for n in (1, 2))
        self.assertEqual(two - one, 1644 - 836)

    def test_buckets_hold_every_parameter_once_in_backward_order(self):
        config = Config("base", batch=8)
        buckets = model_costs.buckets(config)
        self.assertEqual(sum(n for bucket in buckets for n, _ in bucket), model_costs.parameters(config))
        self.assertGreater(buckets[0][0][1], buckets[-1][-1][1])
        self.assertGreaterEqual(4 * sum(n for n, _ in buckets[0]), 1 << 20)  # the first one is full at 1 MiB
        self.assertGreaterEqual(4 * sum(n for n, _ in buckets[1]), 25 << 20)

    def test_slots_are_padded_only_where_they_are_aligned(self):
        bucket = [(10, 0), (17, 0)]
        self.assertEqual(model_costs.bucket_values(Config("tiny", batch=8), bucket), 27)
        self.assertEqual(model_costs.bucket_values(Config("tiny", batch=8, aligned=True), bucket), 16 + 32)
        self.assertEqual(model_costs.bucket_values(Config("tiny", batch=8, ranks=4, shard_optimizer=True), bucket), 64)


class Volumes(unittest.TestCase):
    def sent(self, **options):
        return {(m.purpose, m.verb): (m.calls, m.bytes) for m in model_costs.volumes(Config(**options))}

    def test_one_rank_sends_nothing(self):
        self.assertEqual(self.sent(model="tiny", batch=8), {})

    def test_pairs_gather_all_rows_of_both_sides(self):
        sent = self.sent(model="tiny", batch=12, ranks=3, accumulate=2, embedder_size=16, embedder_width=4)
        rows = 2 * 6 * (4 * 2 * 2) * 4  # two micro-batches of six rows of 16 values
        for purpose, verb in (("real rows", "all_gather"), ("rebuilt rows", "all_gather"), ("rebuilt rows' gradient", "reduce_scatter")):
            self.assertEqual(sent[purpose, verb], (2, rows))

    def test_sums_do_not_grow_with_the_batch(self):
        sent = [self.sent(model="tiny", batch=batch, ranks=2, relation_form="auto", embedder_size=16, embedder_width=4) for batch in (32, 64)]
        self.assertEqual(sent[0]["relation sums", "all_reduce"], (1, 3 * 16 * 16 * 4))
        self.assertEqual(sent[0], sent[1])

    def test_gradients_travel_whole_in_half_or_sharded(self):
        size = model_costs.parameters(Config("iresnet-tiny", batch=8))
        common = {"model": "iresnet-tiny", "batch": 8, "ranks": 2}
        self.assertEqual(self.sent(**common)["gradients", "all_reduce"], (2, 4 * size))
        self.assertEqual(self.sent(**common, gradient_dtype="bfloat16")["gradients", "all_reduce"], (2, 2 * size))
        sharded = self.sent(**common, shard_optimizer=True)
        self.assertEqual(sharded["gradients", "reduce_scatter"], sharded["weights", "all_gather"])
        self.assertGreaterEqual(sharded["weights", "all_gather"][1], 4 * size)

    def test_a_softmax_over_all_ranks_sends_rows_and_one_with_copies_sends_centres(self):
        sent = self.sent(model="iresnet-tiny", batch=6, ranks=2, classes=10)
        self.assertEqual(sent["embeddings", "all_gather"], (1, 6 * 512 * 4))
        self.assertEqual(sent["labels", "all_gather"], (1, 6 * 8))
        self.assertEqual(sent["largest logits", "all_reduce"], (1, 2 * 6 * 4))
        self.assertEqual(sent["softmax sums", "all_reduce"], (1, 7 * 4))
        copies = self.sent(model="iresnet-tiny", batch=6, ranks=2, classes=10, centres="replicated")
        self.assertEqual(copies["centres' gradient", "all_reduce"], (1, 10 * 512 * 4))
        self.assertNotIn(("embeddings", "all_gather"), copies)

    def test_gpus_vote_by_a_message_of_their_own(self):
        self.assertEqual(self.sent(model="tiny", batch=8, ranks=2)["vote", "all_reduce"], (1, 20))
        self.assertNotIn(("vote", "all_reduce"), self.sent(model="tiny", batch=8, ranks=2, gpu=False))

    def test_the_program_tells_them_as_json(self):
        said = subprocess.run([sys.executable, f"{bench}/scale_model.py", "--volumes", "model=tiny,patch=28,batch=6,ranks=2", "--json"],
                              check=True, capture_output=True, text=True).stdout
        told = json.loads(said)
        self.assertEqual(told["step"]["reduce_scatter"], {"calls": 1, "bytes": 6 * 6272 * 4})
        wrong = subprocess.run([sys.executable, f"{bench}/scale_model.py", "--volumes", "model=tiny,batch=7,ranks=2"],
                               capture_output=True, text=True)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("not a multiple of 2 ranks", wrong.stderr)


class Document(unittest.TestCase):
    def test_its_tables_are_what_the_program_prints(self):
        printed, titles = set(scale_model.tables()), tuple(f"| {title}, " for title, *_ in scale_model.WORKLOADS)
        shown = [line for line in open(document, encoding="utf-8").read().splitlines() if line.startswith(titles)]
        self.assertGreaterEqual(len(shown), len(scale_model.WORKLOADS))
        self.assertEqual([line for line in shown if line not in printed], [])


class Time(unittest.TestCase):
    ib = scale_model.Network("", peak=1e15, node=360e9, card=46e9)

    def test_large_sums_in_a_node_are_bound_by_the_ring(self):
        # 14 hops of 3.4 us, 8.4 us to start, 14/8 of the bytes
        self.assertAlmostEqual(scale_model.seconds(self.ib, "all_reduce", 1e9, 8), 56e-6 + 1.75e9 / 360e9, places=9)

    def test_small_sums_are_bound_by_hops(self):
        self.assertAlmostEqual(scale_model.seconds(self.ib, "all_reduce", 8, 8), (3.6 + 14 * 0.47) * 1e-6, places=9)

    def test_efa_takes_what_was_reported_for_two_nodes(self):
        efa = next(network for network in scale_model.NETWORKS if "EFA" in network.name)
        self.assertAlmostEqual(scale_model.seconds(efa, "all_reduce", 8, 16), 69e-6, delta=1e-6)

    def test_a_step_of_one_gpu_is_its_products(self):
        config, assumed = Config("base", batch=64, relation="none"), scale_model.Assumed(mfu=0.5, launch=0)
        step = scale_model.step_of(config, self.ib, assumed)
        self.assertAlmostEqual(step.step, 64 * model_costs.network_flops(config) / 0.5e15, places=12)
        self.assertEqual((step.exposed, step.efficiency), (0, 1))

    def test_launches_bound_a_small_step(self):
        config = Config("tiny", batch=1)
        step = scale_model.step_of(config, self.ib, scale_model.Assumed(mfu=0.5, launch=1e-5))
        self.assertAlmostEqual(step.step, 1e-5 * model_costs.kernels(config), places=9)

    def test_slow_backward_hides_all_but_the_bucket_that_it_ends_with(self):
        config = Config("iresnet-tiny", batch=64, ranks=8)
        step = scale_model.step_of(config, self.ib, scale_model.Assumed(mfu=1e-6, launch=0))
        first, last = model_costs.buckets(config)
        beside = sum(scale_model.seconds(self.ib, m.verb, m.bytes, 8) for m in model_costs.volumes(config) if m.when in ("coupling", "after"))
        time = {name: scale_model.seconds(self.ib, "all_reduce", 4 * sum(n for n, _ in bucket), 8) for name, bucket in (("first", first), ("last", last))}
        self.assertAlmostEqual(step.exposed, beside + time["last"], places=9)
        self.assertAlmostEqual(step.reduction, time["first"] + time["last"], places=9)


unittest.main()
