"""A training that is killed anywhere and started again ends with the same weights."""

import json
import subprocess
import sys
from pathlib import Path

from support.helpers import SCRIPTS, TESTS
from support.killed_training import KILLS
from support.runs import events_of


def test_a_killed_run_that_is_started_again_ends_with_the_same_weights(tiny_model, stored, tmp_path):
    arguments = json.dumps([tiny_model, str(tmp_path), str(stored)])
    environment = {
        "PYTHONPATH": f"{SCRIPTS}:{TESTS}",
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "TRL_EXPERIMENTAL_SILENCE": "1",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "support.killed_training", arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    for method, kills in KILLS.items():
        whole = tmp_path / f"{method}-whole"
        for name, step, _ in kills:
            folder = tmp_path / f"{method}-{name}"
            for file in ["log.csv", *(path.relative_to(whole) for path in whole.rglob("*.safetensors"))]:
                assert (folder / file).read_bytes() == (whole / file).read_bytes(), (folder, file)
            facts, expected = (json.loads(Path(f"{path}.json").read_text()) for path in (folder, whole))
            assert facts["resumed_at_step"] == step
            assert facts["tokens_seen"] == expected["tokens_seen"]
            assert facts["seconds"] == expected["seconds"] == 18 * 10  # each step once
            assert events_of(Path(f"{folder}-events")) == events_of(Path(f"{whole}-events"))
