"""What a training tells of itself: its log, and whether it moved the model at all."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LOG = {
    "step": "step",
    "epoch": "epoch",
    "loss": "loss",
    "rewards/margins": "reward_margin",
    "rewards/accuracies": "reward_accuracy",
    "mlc_loss": "mlc_loss",
    "singular_share": "singular_share",
    "cosine": "cosine",
    "grad_norm": "grad_norm",
    "learning_rate": "learning_rate",
}
HELD_OUT = {
    "eval_loss": "held_out_loss",
    "eval_rewards/margins": "held_out_reward_margin",
    "eval_rewards/accuracies": "held_out_reward_accuracy",
}
# Below this final margin of DPO the loss is still above 0.64, where it began at log 2 = 0.69; ours.
MOVED = 0.1


def write_log(history: Sequence[dict[str, Any]], path: Path) -> None:
    """The logged steps as CSV; columns that a method does not have, or steps not scored, stay empty."""
    columns, rows = LOG | HELD_OUT, dict[int, dict[str, Any]]()
    for entry in history:
        if "loss" in entry or "eval_loss" in entry:
            rows[entry["step"]] = rows.get(entry["step"], {}) | entry
    with open(path, "w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(columns.values()), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: row.get(key, "") for key, name in columns.items()} for row in rows.values())


def last_scores(history: Sequence[dict[str, Any]]) -> dict[str, float]:
    """What the held-out pairs were scored last; empty if none were."""
    scored = [entry for entry in history if "eval_loss" in entry]
    return {name: scored[-1][key] for key, name in HELD_OUT.items() if key in scored[-1]} if scored else {}


def final_margin(history: Sequence[dict[str, Any]]) -> float | None:
    """Mean reward margin over the last tenth of what was logged; None for methods without rewards."""
    margins = [entry["rewards/margins"] for entry in history if "rewards/margins" in entry]
    last = margins[-max(1, len(margins) // 10) :]
    return sum(last) / len(last) if last else None


def hardly_moved(method: str, margin: float | None) -> str:
    """A sentence if a run of DPO, whose rewards are relative to its base, ended about where it began; else empty."""
    if margin is None or not method.startswith("dpo") or margin >= MOVED:
        return ""
    return (
        f"the final reward margin is {margin:.3f}, below {MOVED}: this run hardly moved from its base, and what it "
        "answers says little about the method; a larger learning_rate or more epochs in the recipe move it further"
    )
