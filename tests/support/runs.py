"""Twelve pairs, a recipe and the runs of a tiny model that several tests train."""

import csv

SETTINGS = {"max_length": 128, "bf16": False}
RECIPE = {
    "trainer": {
        **SETTINGS, "learning_rate": 1e-3, "per_device_train_batch_size": 2, "gradient_checkpointing": False,
        "logging_steps": 1, "save_steps": 2, "lr_scheduler_type": "constant",
    },
    "lora": {"r": 4, "target_modules": "all-linear"},
    "mlc": {
        "languages": "en,pl", "lambda": 0.8, "temperature": 0.2, "normalise": "by_first", "every": 1, "layer": -1,
        "dimension": 16, "extractor": "trained",
    },
}  # fmt: skip


def pair(number):
    turn = {"role": "user", "content": f"Please answer request {number}."}
    answers = {"chosen": "I can't help with this. " * (1 + number % 3), "rejected": "Sure. " * (1 + number % 5)}
    return {"pair_id": f"p{number}"} | {
        side: [turn, {"role": "assistant", "content": text}] for side, text in answers.items()
    }


PAIRS = [pair(number) for number in range(12)]
WORDS = {"en": "Please answer request {}.", "pl": "Odpowiedz na prośbę {}.", "de": "Bitte beantworte Anfrage {}."}
TRANSLATIONS = {f"p{n}": {code: text.format(n) for code, text in WORDS.items()} for n in range(12)}


def recipe(**trainer):
    return RECIPE | {"trainer": RECIPE["trainer"] | trainer}


def run(method="dpo", recipe=RECIPE, seed=1):
    return {"method": method, "recipe": recipe, "seed": seed}


def log_of(folder):
    """log.csv as a list of numbers per column; empty cells are left out."""
    with open(folder / "log.csv", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return {column: [float(row[column]) for row in rows if row[column]] for column in rows[0]}


def events_of(folder):
    """(step, loss) of the TensorBoard files, as a reader shows them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    reader = EventAccumulator(str(folder)).Reload()
    return [(event.step, event.value) for event in reader.Scalars("train/loss")]
