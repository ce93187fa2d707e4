"""Kills a training run again and again, each time going on with another number of ranks; compares the end with a calm run.

usage: soak.py FACEMAE STORE SECONDS     in an empty folder

Prints recovery times (from the start of a command to its first new step) and the part of the time that was of use.
"""
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

facemae, store, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
random.seed(int(time.time()))


def command(run, steps, ranks):
    train = [facemae, "pretrain", "--store", store, "--run", run, "--steps", str(steps), "--batch", "8", "--model", "tiny",
             "--patch", "28", "--embedder-size", "16", "--embedder-width", "4", "--exact", "--save-every", "5",
             "--log-every", "1", "--log-level", "warn"]
    launch = [str(Path(__file__).parents[2] / "scripts/ranks.sh"), str(ranks)]
    return train if ranks == 1 else launch + train


def root(run):
    shown = subprocess.run([facemae, "checkpoint", "list", run, "--json", "list.json", "--log-level", "warn"],
                           capture_output=True, check=True)
    newest = json.loads(Path("list.json").read_text())["checkpoints"][0]
    assert newest["state"] == "valid", shown.stdout
    return newest["step"], newest["root"]


def steps_logged(run):
    try:
        return sum(1 for _ in open(Path(run) / "metrics.jsonl"))
    except FileNotFoundError:
        return 0


def kill_all(process):
    """The launcher and every rank at once, as a lost node would."""
    group = os.getpgid(process.pid)
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    os.killpg(group, signal.SIGKILL)
    for child in children:  # ranks have groups of their own
        try:
            os.kill(int(child), signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()


# As many steps as fill about half of the time undisturbed.
probe = time.time()
subprocess.run(command("probe", 20, 2), check=True, stderr=subprocess.DEVNULL)
per_step = max(0.01, (time.time() - probe - 1.5) / 20)
steps = max(40, int(seconds / 2 / per_step))
began = time.time()
subprocess.run(command("calm", steps, 2), check=True, stderr=subprocess.DEVNULL)
calm = time.time() - began

recoveries, kills, worlds = [], 0, []
began = time.time()
log = open("soak.log", "wb")
while True:
    ranks = random.randint(1, 4)
    worlds.append(ranks)
    started, lifetime = time.time(), random.uniform(2, 8) if kills else 0  # one start is killed on any machine
    process = subprocess.Popen(command("soak", steps, ranks), stderr=log, start_new_session=True)
    before, recovered = None, False
    while process.poll() is None:
        time.sleep(0.02)
        alive = time.time() - started
        count = steps_logged("soak")
        before = count if before is None or count < before else before  # resuming cuts the log back
        if not recovered and count > before:
            recovered = True
            recoveries.append(alive)
        if alive > lifetime and (time.time() - began < seconds or not kills) and (recovered or alive > 60):
            kill_all(process)
            kills += 1
    if process.returncode == 0:
        break
    assert process.returncode == -signal.SIGKILL, f"ended by itself with {process.returncode}: see soak.log"
spent = time.time() - began
recoveries.sort()


def part(fraction):
    return recoveries[min(len(recoveries) - 1, int(fraction * len(recoveries)))]


assert kills > 0, "nothing was killed"
assert root("soak") == root("calm"), (root("soak"), root("calm"))
print(f"{kills} kills in {spent:.0f} s on {sorted(set(worlds))} ranks, {steps} steps: the calm run's root. Recovery p50 "
      f"{part(0.5):.1f} s, p99 {part(0.99):.1f} s; {100 * calm / spent:.0f} % of the time of use (a calm run took {calm:.0f} s)")
