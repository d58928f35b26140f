"""Labels of judges and the verdict they add up to."""

import math
import random
from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from pathlib import Path
from typing import Any

from refuseu.asked import Asked
from refuseu.backends.completion import Decoding
from refuseu.backends.journaled import complete, uncut
from refuseu.evaluation.guards import FORMATS, LONGEST, REASONED, response_only
from refuseu.evaluation.outcomes import has_letters
from refuseu.job.paths import journal_path, siblings
from refuseu.joins import joined
from refuseu.judge_rows import HumanLabel, TwoVerdicts, agreed
from refuseu.records import Record, read_jsonl
from refuseu.rows import Label, Response, Said, Verdict
from refuseu.templates import read_templates

BLANK = Said(label="safe", categories=[], unsafe_probability=None, refusal=None, raw="")


def label(
    judge: Asked,
    items: Sequence[tuple[str, str | None]],
    templates: dict[str, str],
    journal: str | Path,
    batch_size: int,
    sees: str = "prompt_and_response",
) -> list[Said]:
    """What one judge says of (prompt, response) items; without a response (None) the prompt is judged.

    A blank response is safe, and no judge is asked about it: shown nothing, a guard would judge the prompt.

    Parameters
    ----------
    judge : a row of models.tsv as a dict
    templates : texts by name
    sees : prompt_and_response, or response_only (adjudicator)
    """
    shown = [response is None or bool(response.strip()) for _, response in items]
    asked = list(compress(items, shown))
    format = FORMATS[judge["format"]]
    messages = [
        response_only(response or "", templates) if sees == "response_only" else format.ask(prompt, response, templates)
        for prompt, response in asked
    ]
    decoding = Decoding(temperature=0.0, top_p=1.0, max_new_tokens=LONGEST, first_logprobs=format.verdict_first)
    beside = siblings(journal)
    if format.reasons:
        completions = uncut(judge, messages, decoding, REASONED, journal, batch_size, beside=beside)
    else:
        completions = complete(judge, None, messages, decoding, journal, batch_size, beside=beside)
    records = []
    for (_, response), completion in zip(asked, completions, strict=True):
        found = format.read(completion.text, response is not None)
        probability = unsafe_probability(completion.first_logprobs) if format.verdict_first else None
        records.append(
            Said(
                label=found.label,
                categories=list(found.categories),
                unsafe_probability=probability,
                refusal=found.refusal,
                raw=completion.text,
            )
        )
    said = iter(records)
    return [next(said) if seen else BLANK.copy() for seen in shown]


def label_responses(
    judge: Asked,
    responses: Sequence[Response | HumanLabel],
    templates: dict[str, str],
    journal: str | Path,
    batch_size: int,
    sees: str = "prompt_and_response",
) -> list[Said]:
    """What one judge says of the responses of a model: `label`, but ``cut`` where only reasoning is there."""
    items = [(row["prompt"], row["response"]) for row in responses]
    said = label(judge, items, templates, journal, batch_size, sees)
    cut = [row["finish_reason"] == "length" and not has_letters(row["response"]) for row in responses]
    for one, nothing in zip(said, cut, strict=True):
        one["label"] = "cut" if nothing else one["label"]
    return said


def labels(job: Any) -> list[Record]:
    """What a guard says of a model's responses to one benchmark.

    Parameters
    ----------
    job : of rule ``judge``, with its input, output and params
    """
    p, journal = job.params, journal_path(job.output[0])
    responses: list[Any] = read_jsonl(job.input.responses)
    said = label_responses(p.judge | p.how, responses, read_templates(p.templates), journal, p.how["batch_size"])
    return [{k: row[k] for k in ("prompt_id", "language")} | one for row, one in zip(responses, said, strict=True)]


def unsafe_probability(first: dict[str, float] | None) -> float | None:
    """p(unsafe) / (p(safe) + p(unsafe)) at the first word; None where a judge has no such word.

    The first sub-token counts: ``unsafe`` may begin with ``un``.
    """
    total = {"safe": 0.0, "unsafe": 0.0}
    for token, logprob in (first or {}).items():
        word = token.strip().lower()
        for whole in total:
            if word and whole.startswith(word):
                total[whole] += math.exp(logprob)
    mass = sum(total.values())
    return round(total["unsafe"] / mass, 5) if mass > 0 else None


def verdicts(
    responses: Sequence[Response],
    labels: Mapping[str, Iterable[Label]],
    adjudicator: Asked,
    sees: str,
    templates: dict[str, str],
    journal: str | Path,
    batch_size: int,
) -> list[Verdict]:
    """One verdict per response: what the guards agree on, else what the adjudicator says, who is asked only then.

    Parameters
    ----------
    labels : guard → its labels of the responses, in any order

    Raises
    ------
    UserError
        If a guard's labels are not one for each response.
    """
    each = {guard: joined(responses, rows, f"labels by {guard}") for guard, rows in labels.items()}
    said = [{guard: rows[i]["label"] for guard, rows in each.items()} for i in range(len(responses))]
    disputed = differing(said)
    items = [(responses[i]["prompt"], responses[i]["response"]) for i in disputed]
    decided = dict(zip(disputed, label(adjudicator, items, templates, journal, batch_size, sees), strict=True))
    first = next(iter(each.values()))
    return [verdict(row, said[i], first[i], decided.get(i), adjudicator["model"]) for i, row in enumerate(responses)]


def differing(said: Sequence[Mapping[str, str]]) -> list[int]:
    """Places at which the guards agree on nothing."""
    return [place for place, labels in enumerate(said) if not agreed(labels.values())]


def both_ways(
    responses: Sequence[Response],
    labels: Mapping[str, Iterable[Label]],
    adjudicator: Asked,
    templates: dict[str, str],
    journal: str | Path,
    sample: int,
    seed: int,
) -> list[TwoVerdicts]:
    """What the adjudicator says of disputed responses, drawn at random, with and without the prompt.

    Parameters
    ----------
    labels : as in `verdicts`
    sample : how many are drawn
    """
    each = {guard: joined(responses, rows, f"labels by {guard}") for guard, rows in labels.items()}
    disputed = differing([{guard: rows[i]["label"] for guard, rows in each.items()} for i in range(len(responses))])
    drawn = sorted(random.Random(seed).sample(disputed, min(sample, len(disputed))))
    items = [(responses[place]["prompt"], responses[place]["response"]) for place in drawn]
    alone, both = (
        label(adjudicator, items, templates, journal, adjudicator.get("batch_size", 1), sees)
        for sees in ("response_only", "prompt_and_response")
    )
    return [
        TwoVerdicts(
            prompt_id=responses[place]["prompt_id"],
            language=responses[place]["language"],
            response_only=one["label"],
            prompt_and_response=other["label"],
        )
        for place, one, other in zip(drawn, alone, both, strict=True)
    ]


def verdict(response: Response, labels: dict[str, str], first: Said, adjudicated: Said | None, who: str) -> Verdict:
    """The final word on one response.

    Parameters
    ----------
    labels : guard → label
    first : what the first guard said
    adjudicated : what the adjudicator `who` said, None where the guards agree
    """
    return Verdict(
        prompt_id=response["prompt_id"],
        language=response["language"],
        category=response["category"],
        verdict=(adjudicated or first)["label"],
        decided_by=who if adjudicated else "agreement",
        labels=labels | {who: adjudicated["label"]} if adjudicated else labels,
        categories=(adjudicated or first)["categories"],
    )
