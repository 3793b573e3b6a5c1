# SPDX-License-Identifier: MIT
"""Steps of a long computation, which goes on in the next job where this one's time is up.

Run it as: sbatch apps/slurm/resume.sbatch
"""

import argparse
import json
import os
import subprocess
import time
from pathlib import Path

from pypar import LOR, SUM, on_time_limit, world

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--steps", type=int, default=1000)
parser.add_argument("--pause", type=float, default=1, help="seconds that a step takes")
options = parser.parse_args()

job = os.environ.get("SLURM_JOB_ID", "none")
file = Path(f"resume-{job}.json")
time_is_up = False


@on_time_limit
def note_it():
    # Each rank is at another place, so here nothing is done but this.
    global time_is_up
    time_is_up = True


saved = json.loads(file.read_text()) if world.rank == 0 and file.exists() else [0, 0]
step, total = world.broadcast(saved)
if world.rank == 0:
    print(f"begins at step {step} of {options.steps}")
while step < options.steps:
    time.sleep(options.pause)
    total += world.allreduce(step + world.rank, SUM)
    step += 1
    if world.allreduce(time_is_up, LOR):  # on any rank: all stop at the same step
        break

if world.rank == 0:
    new = file.with_suffix(".new")
    new.write_text(json.dumps([step, total]))
    new.replace(file)  # whole or not at all
    print(f"ends at step {step}, total {total}")
    if step < options.steps:
        subprocess.run(["scontrol", "requeue", job], check=True)
