"""Trains a tiny model again and again, killed on the way: python -m support.killed_training BASE-FOLDER-REFERENCE."""

import json
import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import torch

from refuseu.training import callbacks
from refuseu.training.alignment import align
from support.runs import PAIRS, RECIPE, TRANSLATIONS, recipe, run

# name, step from which the last attempt goes on, and kills: (step, whether in the middle of its save). Every second
# step is saved, and an epoch has six.
KILLS = {
    "dpo": [
        ("before the first save", 0, [(1, False)]),
        ("inside a save", 2, [(4, True)]),
        ("twice", 4, [(2, False), (3, False), (5, False)]),
        ("at the end", 4, [(6, False)]),
        ("in the second epoch", 8, [(9, False)]),
    ],
    "dpo grouped": [("in the second and third epoch", 12, [(9, False), (13, False)])],
    "sft grouped": [("in the second epoch", 8, [(9, False)])],
    "dpo full": [("between saves", 2, [(3, False)]), ("inside the last save", 4, [(6, True)])],
    "dpo+mlc full": [("twice", 4, [(3, False), (5, False)])],
    "sft+mlc": [("between saves", 2, [(3, False)]), ("inside the last save", 4, [(6, True)])],
}


def start(base, folder, stored, method, name, kill_at=None, inside=False):
    # Each in a fork of its own, because a kill ends the process.
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]

    def die(*_, **__):
        os.kill(os.getpid(), signal.SIGKILL)

    if kill_at is not None:
        after = callbacks.Bar.on_step_end

        def on_step_end(self, args, state, control, **more):
            after(self, args, state, control, **more)
            if state.global_step == kill_at:
                if inside:  # in the middle of a save: the state file is written last
                    type(state).save_to_json = die
                else:
                    die()

        callbacks.Bar.on_step_end = on_step_end

    steps, measure = [], callbacks.Clock.on_step_end

    def ten_seconds_later(*given, **more):
        steps.append(10.0)
        measure(*given, **more)

    callbacks.Clock.on_step_end = ten_seconds_later
    callbacks.time = SimpleNamespace(monotonic=lambda: sum(steps))
    places = [folder / f"{name}{end}" for end in ("-checkpoints", "", "-events")]
    code = 1
    try:
        method, _, how = method.partition(" ")
        recipes = {"full": RECIPE | {"lora": None}, "grouped": recipe(train_sampling_strategy="group_by_length")}
        facts = align(PAIRS, base, run(method, recipes.get(how, RECIPE)), stored, TRANSLATIONS, *places)
        (folder / f"{name}.json").write_text(json.dumps(facts))
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    torch.set_num_threads(1)
    base, folder, stored = json.loads(sys.argv[1])
    places = (base, Path(folder), stored)
    for method, kills in KILLS.items():
        assert start(*places, method, f"{method}-whole") == 0
        for name, _, attempts in kills:
            for kill_at, inside in attempts:
                assert start(*places, method, f"{method}-{name}", kill_at, inside) == signal.SIGKILL
                assert not (places[1] / f"{method}-{name}").exists()
            assert start(*places, method, f"{method}-{name}") == 0
