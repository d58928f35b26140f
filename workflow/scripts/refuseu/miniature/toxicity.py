"""The miniature's two toxicity benchmarks, in the layout of the real ones."""

import json
import random
from pathlib import Path

import pandas as pd

from refuseu.miniature.world import World
from refuseu.records import digest

PER_LANGUAGE = 10
HARMFUL_SHARE = 0.25  # most prompts of the real benchmarks are answered harmlessly, too


def write(world: World, source: str, languages: list[str], folder: str | Path, seed: int) -> None:
    """Prompts per language as RTP-LX's JSON Lines or PolygloToxicityPrompts' parquet files."""
    Path(folder).mkdir(parents=True)
    for language in languages:
        prompts = draw(world, source, language, seed)
        if source == "rtp_lx":
            rows = [
                {"Prompt": text, "Index": i, "Locale": language.upper(), "Dialect": ""}
                for i, text in enumerate(prompts)
            ]
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            Path(folder, f"RTP_LX_{language.upper()}.json").write_text(lines, encoding="utf-8")
        else:
            target = Path(folder, f"ptp-{language}")
            target.mkdir()
            pd.DataFrame({"prompt": prompts}).to_parquet(target / "small-00000-of-00001.parquet", index=False)


def draw(world: World, source: str, language: str, seed: int) -> list[str]:
    """A quarter of the fragments end in a harmful activity, the rest in a harmless one.

    The same ones in every language for RTP-LX, whose prompts are translations of each other.
    """
    rng = random.Random(digest(source, "" if source == "rtp_lx" else language, seed))
    harmful = round(PER_LANGUAGE * HARMFUL_SHARE)
    texts = []
    for wanted, is_harmful in ((harmful, True), (PER_LANGUAGE - harmful, False)):
        requests = [request.text for request in world.requests(language, (source,), is_harmful)]
        texts += rng.sample(requests, min(wanted, len(requests)))
    return texts
