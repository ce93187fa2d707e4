"""The parts of a GPU kit (scripts/gpu_kit.sh): tests, then benches, each with a limit of its own; one table in the end.

Started by the kit's run.sh, which says what the options are and sets the paths of libraries.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import model_costs

# Dense bfloat16, in 1e12 operations a second: NVIDIA's data sheets. The first name that the card's contains.
PEAKS = (("H100 PCIe", 756), ("H100 NVL", 835), ("H200", 989), ("H100", 989), ("GH200", 989), ("B200", 2250), ("A100", 312),
         ("L40S", 362), ("L40", 181), ("L4", 121), ("A40", 150), ("A10", 125))
CLASSES = 100_000  # of the recognition steps


class CannotRun(Exception):
    """This machine lacks what the part needs."""


class Failed(Exception):
    pass


def end_session(process):
    """mpirun gives its ranks process groups of their own, and ends them when it is asked to."""
    process.terminate()
    try:
        process.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        pass
    for pid in (int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            if os.getsid(pid) == process.pid:
                os.kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
    process.communicate()


class Kit:
    def __init__(self, folder, work):
        self.folder, self.work, self.deadline, self.gpu = pathlib.Path(folder), pathlib.Path(work), 0.0, None
        # On a machine with an older glibc the programs are started by the kit's own loader.
        loader = os.environ.get("FACEMAE_KIT_LOADER")
        own = f"{self.folder}/lib:{self.folder}/glibc:{os.environ.get('LD_LIBRARY_PATH', '')}"
        self.start = [loader, "--library-path", own] if loader else []

    def program(self, name):
        return [*self.start, str(self.folder / name)]

    def run(self, command, seconds):
        """What the command prints. When its time is over, all that it started is ended."""
        seconds = min(seconds, self.deadline - time.monotonic())
        if seconds <= 1:
            raise Failed("no time was left")
        process = subprocess.Popen(command, cwd=self.work, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        try:
            said, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            end_session(process)
            raise Failed(f"not done in {seconds:.0f} s") from None
        if process.returncode:
            lines = [line for line in (said + "\n" + errors).splitlines() if line.strip()]
            raise Failed(f"exit {process.returncode}: " + " | ".join(lines[-3:])[-300:])
        return said

    def need_gpu(self):
        if isinstance(self.gpu, str):
            raise CannotRun(self.gpu)
        return self.gpu


def look_for_gpu(kit):
    """The card as torch sees it, or why there is none."""
    ask = "import json, torch\nassert torch.cuda.is_available(), 'torch finds no usable GPU'\n" \
          "card = torch.cuda.get_device_properties(0)\ntorch.ones(2, device='cuda').sum().item()\n" \
          "print(json.dumps({'name': card.name, 'memory': card.total_memory, 'torch': torch.__version__}))"
    if not os.path.exists("/dev/nvidiactl"):
        return "no NVIDIA driver on this machine (/dev/nvidiactl is missing)"
    try:
        return json.loads(kit.run([sys.executable, "-c", ask], 90).splitlines()[-1])
    except Failed as fault:
        return f"no GPU that torch can use: {fault}"


def peak_of(gpu):
    return next((peak * 1e12 for name, peak in PEAKS if name in gpu["name"]), None)


def gpu_test(name):
    def run(kit):
        kit.need_gpu()
        said = kit.run(kit.program(f"tests/{name}"), 90)
        passed, skipped = (int((re.findall(rf"\[  {word} *\] (\d+) test", said) or [0])[0]) for word in ("PASSED", "SKIPPED"))
        if skipped:
            raise Failed(f"{skipped} of its tests were skipped on a machine with a GPU")
        return {"tests passed": passed}

    return run


def synthetic_faces(kit):
    if not (kit.work / "faces" / "manifest.h5").exists():
        kit.run([*kit.program("bin/facemae"), "synth", "--out", "faces", "--identities", "100", "--images-per-identity", "20",
                 "--log-level", "warn"], 60)


def loader(kit):
    synthetic_faces(kit)
    threads = max(1, len(os.sched_getaffinity(0)) - 2)
    measured = {}
    for count in sorted({1, threads}):
        said = kit.run([*kit.program("bin/bench_loader"), str(count), "faces", str(20000 * min(count, 8))], 30)
        measured[f"images/s, {count} threads"] = float(said)
    return measured


def rate_of(kit, by, model, batch, steps, options, seconds):
    """Images per second of training steps by ours (facemae), PyTorch eager or torch.compile."""
    task = [model, str(batch), str(steps), *options]
    if by == "facemae":
        said = kit.run([*kit.program("bin/bench_steps"), *task], seconds)
    else:
        said = kit.run([sys.executable, str(kit.folder / "torch_steps.py"), *task, f"compile={'yes' if by == 'torch.compile' else 'no'}"], seconds)
    return float(said.splitlines()[-1])


def programs_start(kit):
    """What a machine without a GPU can tell of the kit: each program finds its libraries."""
    version = kit.run([*kit.program("bin/facemae"), "--version"], 30)
    for test in sorted((kit.folder / "tests").iterdir()):
        kit.run([*kit.program(f"tests/{test.name}"), "--gtest_list_tests"], 30)
    return {"lines of --version": len(version.splitlines())}


def step_on_a_cpu(by):
    return lambda kit: {"images/s": rate_of(kit, by, "iresnet-tiny", 8, 1, [], 60)}


def training(kit, device, run, steps, *words):
    """The whole program under mpirun, FaceMAE base on a GPU and the smallest one on a CPU: a command."""
    if device == "cuda":
        kit.need_gpu()
    synthetic_faces(kit)
    options = ["--model", "base", "--batch", "256", "--backend", "nccl", "--precision", "bfloat16"] if device == "cuda" else \
        ["--model", "tiny", "--batch", "8", "--patch", "28", "--embedder-size", "16", "--embedder-width", "4", "--threads", "1"]
    return [*kit.program("bin/mpirun"), "--bind-to", "none", "-n", "1", *kit.program("bin/facemae"), "pretrain", "--store", "faces",
            "--run", run, "--steps", str(steps), "--device", device, "--log-level", "warn", *options, *words]


def stop_after(kit, command, step, seconds):
    try:
        kit.run([*command, "--stop-after", str(step)], seconds)
    except Failed as fault:
        if not str(fault).startswith("exit 76"):  # stopped with a commit, as asked
            raise


def same_bits_twice(device):
    """With --deterministic: two starts that go on from one commit end in the same bits, by the roots of their last commits."""
    def run(kit):
        first, second = f"fixed-{device}", f"again-{device}"
        stop_after(kit, training(kit, device, first, 12, "--deterministic"), 6, 60)
        shutil.copytree(kit.work / first, kit.work / second)
        roots = []
        for name in (first, second):
            kit.run(training(kit, device, name, 12, "--deterministic"), 60)
            roots.append((kit.work / name / "checkpoints" / "HISTORY").read_text().split()[-1])
        if roots[0] != roots[1]:
            raise Failed(f"two starts from one commit end in the roots {' and '.join(roots)}")
        return {"roots alike": len(roots)}

    return run


def save_and_resume(device):
    """Steps beside a save against others, then a second start that goes on."""
    batch = 256 if device == "cuda" else 8

    def run(kit):
        command = training(kit, device, f"run-{device}", 75, "--save-every", "15", "--log-every", "1")

        def metrics():
            return [json.loads(line) for line in open(kit.work / f"run-{device}" / "metrics.jsonl")]

        stop_after(kit, command, 60, 90)
        lines = metrics()[10:]
        beside = sorted(line["seconds"] for line in lines if "save_stalled_seconds" in line)
        calm = sorted(line["seconds"] for line in lines if "save_stalled_seconds" not in line)
        if not beside or not calm:
            raise Failed(f"{len(beside)} steps beside a save and {len(calm)} others: nothing to compare")
        kit.run(command, 60)
        if metrics()[-1]["step"] != 75:
            raise Failed(f"the second start ended at step {metrics()[-1]['step']} instead of 75")
        median = calm[len(calm) // 2]
        return {"images/s": batch / median, "step beside a save / without": beside[len(beside) // 2] / median, "resumed to step": 75}

    return run


def steps(model, batch, *words, by):
    def run(kit):
        gpu = kit.need_gpu()
        if by == "torch.compile" and not any(shutil.which(name) for name in ("cc", "gcc", "clang")):
            raise CannotRun("torch.compile needs a C compiler here")
        size = batch if gpu["memory"] > 40e9 else batch // 4
        options = ["device=cuda", "precision=bfloat16", f"classes={CLASSES}", *words]
        rate = rate_of(kit, by, model, size, 20, options, 100 if by == "torch.compile" else 45)
        config = model_costs.Config(model.removeprefix("facemae-"), batch=size, classes=CLASSES)
        flops = sum(of(config) for of in (model_costs.network_flops, model_costs.embedder_flops, model_costs.beside_flops))
        return {"batch": size, "images/s": rate, **({"MFU": rate * flops / peak_of(gpu)} if peak_of(gpu) else {})}

    return run


def parts_of(kit):
    tests = sorted(path.name for path in (kit.folder / "tests").iterdir())
    parts = [("programs start", programs_start)] + [(f"test {name}", gpu_test(name)) for name in tests]
    for by in ("facemae", "eager", "torch.compile"):
        parts += [(f"FaceMAE base, patch 8: {by}", steps("facemae-base", 256, "patch=8", "embedder-width=128", by=by)),
                  (f"iresnet50, {CLASSES} classes: {by}", steps("iresnet50", 256, "layout=channels-last", by=by)),
                  (f"iresnet100, {CLASSES} classes: {by}", steps("iresnet100", 256, "layout=channels-last", by=by))]
        if by == "facemae":
            parts += [("save and resume, FaceMAE base over NCCL", save_and_resume("cuda")),
                      ("the same bits twice, FaceMAE base over NCCL", same_bits_twice("cuda")), ("loader alone", loader)]
    return [*parts, ("save and resume, FaceMAE tiny on a CPU", save_and_resume("cpu")),
            ("the same bits twice, FaceMAE tiny on a CPU", same_bits_twice("cpu")),
            ("iresnet-tiny on a CPU: facemae", step_on_a_cpu("facemae")), ("iresnet-tiny on a CPU: eager", step_on_a_cpu("eager"))]


def shown(figures):
    return ", ".join(f"{name} {value:.3g}" if value < 10 else f"{name} {value:,.0f}" for name, value in figures.items())


def table(rows):
    width = max(len(row["part"]) for row in rows)
    for row in rows:
        print(f"{row['part']:{width}}  {row['outcome']:11}  {row['seconds']:5.1f} s  {shown(row['figures']) or row.get('reason', '')}")


def compared(rows):
    """Ours to PyTorch's, where both ran."""
    rates = {row["part"]: row["figures"].get("images/s") for row in rows}
    return {f"{part[:-len('facemae')]}facemae / {by}": rate / rates[part[:-len("facemae")] + by]
            for part, rate in rates.items() if rate and part.endswith(": facemae")
            for by in ("eager", "torch.compile") if rates.get(part[:-len("facemae")] + by)}


def main():
    words = argparse.ArgumentParser(usage="see run.sh --help")
    words.add_argument("--kit", required=True)
    words.add_argument("--out")
    words.add_argument("--only", default="")
    words.add_argument("--minutes", type=float, default=8)
    words.add_argument("--list", action="store_true")
    options = words.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as work:
        kit = Kit(options.kit, work)
        chosen = [(name, run) for name, run in parts_of(kit) if re.search(options.only, name)]
        if options.list or not chosen:
            print("\n".join(name for name, _ in (chosen or parts_of(kit))))
            return 0 if options.list else 2
        kit.deadline = time.monotonic() + 60 * options.minutes - 5
        kit.gpu = look_for_gpu(kit)
        print(f"GPU: {kit.gpu if isinstance(kit.gpu, str) else kit.gpu['name']}")
        for name, run in chosen:
            start, row = time.monotonic(), {"part": name, "outcome": "ran", "figures": {}}
            try:
                row["figures"] = run(kit)
            except CannotRun as reason:
                row |= {"outcome": "skipped", "reason": str(reason)}
            except Exception as fault:  # whatever a part does, the others go on
                row |= {"outcome": "FAILED", "reason": str(fault) if isinstance(fault, Failed) else repr(fault)}
            row["seconds"] = time.monotonic() - start
            rows.append(row)
            print(f"  {name}: {row['outcome']}", file=sys.stderr, flush=True)
    table(rows)
    ratios = compared(rows)
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.2f}")
    needs = dict(line.split(" ", 1) for line in (kit.folder / "NEEDS").read_text().splitlines())
    with open(options.out or kit.folder / "gpu_kit.json", "w") as out:
        json.dump({"gpu": kit.gpu, "kit": needs, "parts": rows, "ratios": ratios}, out, indent=1)
    outcomes = {row["outcome"] for row in rows}
    return 1 if "FAILED" in outcomes else 77 if "skipped" in outcomes else 0


sys.exit(main())
