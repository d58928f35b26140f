"""Do intervals and tests hold what they say? Studies with known truth, by the thousand; a table as Markdown.

    python tests/benchmarks/coverage.py --studies 2000 --rows rows.jsonl > table.md

The truth is the rate over all slots, prompts and training seeds that might have been drawn. Each row of the table is
kept in ``rows.jsonl`` when it is there, so that a run goes on where the last one ended; `--only 3,4` does some
scenarios, so that two processes can share the work. Minutes on one core. What is outside its bounds by more than the
simulation's own error is printed bold.
"""

import argparse
import datetime
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import t

from refuseu.analysis.intervals import Mean, Tally, difference, interval, means
from refuseu.analysis.permutation import sign_flips
from refuseu.analysis.seeds import over_runs

LANGUAGES, PROMPTS, TRANSLATED, CHUNK, DRAWS = 12, 1400, 1000, 100, 1999
SCOPES = {"language": slice(6, 7), "group": slice(0, 6), "all": slice(0, 12)}
ALIKE = 0.5  # share of the prompts that decide all runs alike
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(61)
RATES = (0.005, 0.05, 0.5)
COVERAGE, LEVEL, ERRORS = (0.93, 0.97), (0.04, 0.06), (0.0, 0.05)  # the bounds
Array = np.ndarray


class Scenario(NamedTuple):
    """Clusters of a study: slots over all languages, translated prompts, or (0 clusters) each prompt for itself."""

    name: str
    clusters: int
    sd: float
    seeds: int = 1
    translated: bool = False

    @property
    def seed_sd(self) -> float:
        return 0.3 * (self.seeds > 1)


SCENARIOS = [
    Scenario("independent prompts", 0, 0),
    *(Scenario(f"{n} slots, SD {sd}", n, sd) for sd in (0.5, 1.0) for n in (30, 65, 140)),
    Scenario("translated prompts, SD 1.5", TRANSLATED, 1.5, translated=True),
    Scenario("3 seeds, independent prompts", 0, 0, seeds=3),
    Scenario("3 seeds, 65 slots, SD 0.5", 65, 0.5, seeds=3),
]


def marginal(intercept: float, sd: float) -> float:
    """Rate over a normal effect on the log-odds."""
    return float(expit(intercept + sd * NODES) @ WEIGHTS / WEIGHTS.sum())


def intercepts(rate: float, sd: float) -> Array:
    """One per language, half a logit to either side, so that the mean of the languages' rates is `rate`."""
    offsets = np.linspace(-0.5, 0.5, LANGUAGES)
    return offsets + brentq(lambda a: np.mean([marginal(a + x, sd) for x in offsets]) - rate, -30, 30)


def counts(scenario: Scenario, rng: np.random.Generator, size: int) -> Array:
    """Prompts per study, language and cluster. Without clusters each language has its own."""
    if scenario.translated:
        return np.ones((size, LANGUAGES, scenario.clusters), int)
    if not scenario.clusters:
        return np.ones((size, LANGUAGES, PROMPTS), int)
    weights = rng.uniform(0.5, 1.5, (size, scenario.clusters))
    weights /= weights.sum(1, keepdims=True)
    return np.stack([rng.multinomial(PROMPTS, weights) for _ in range(LANGUAGES)], axis=1)


def outcomes(rng: np.random.Generator, n: Array, rates: Array) -> tuple[Array, Array]:
    """Unsafe answers of each run per language and cluster, and in how many two neighbouring runs differ upwards.

    Parameters
    ----------
    rates : (runs, studies, languages, clusters)

    Returns
    -------
    Counts, and for run 2i and 2i + 1 the prompts that only the second answers unsafely; both (runs, ...).
    """
    if (n == 1).all():
        shape, every = n.shape, rng.random(n.shape, dtype=np.float32)
        own = np.where(rng.random(shape, dtype=np.float32) < ALIKE, every, rng.random(rates.shape, dtype=np.float32))
        found = (own < rates).astype(float)
        gained = np.zeros_like(found)
        gained[1::2] = found[1::2] > found[::2]
        return found, gained
    alike = rng.binomial(n, ALIKE)
    order = np.argsort(rates, axis=0)
    ascending = np.take_along_axis(rates, order, axis=0)
    found, below, steps = np.zeros_like(ascending), np.zeros_like(ascending[0]), []
    left = alike
    for rate in ascending:  # one uniform number decides all runs
        step = rng.binomial(left, np.clip((rate - below) / np.maximum(1 - below, 1e-12), 0, 1))
        left, below = left - step, rate
        steps.append(step)
    np.put_along_axis(found, order, np.cumsum(steps, axis=0).astype(float), axis=0)
    gained = np.zeros_like(found)
    for i in range(0, len(rates) - 1, 2):
        first, second = rates[i], rates[i + 1]
        up = rng.binomial(n - alike, second * (1 - first))
        both = rng.binomial(n - alike - up, first * second / (1 - second * (1 - first)))
        only = rng.binomial(
            n - alike - up - both,
            np.clip(first * (1 - second) / np.maximum(1 - second * (1 - first) - first * second, 1e-12), 0, 1),
        )
        gained[i + 1] = up + np.maximum(found[i + 1] - found[i], 0)
        found[i] += both + only
        found[i + 1] += both + up
    return found, gained


def summary(sums: Array, squares: Array, n: Array, shared: bool) -> Mean:
    """What `refuseu.analysis.intervals.mean` gives, from sums per language and cluster, for many studies at once.

    Without `shared` clusters every prompt is one of its own, of one language.
    """
    size, count = n.sum(-1), n.shape[-2]
    rate = sums.sum(-1) / size
    variance = squares.sum(-1) / size - rate**2
    if shared:
        return means(Tally(sums, n, variance), np.ones((*n.shape[:-2], count)))
    scaled = (part / size[..., None] / count for part in (sums, sums - n * rate[..., None], n))
    added, scores, weights = (part.reshape(*part.shape[:-2], -1) for part in scaled)
    single = np.ones(rate.shape[:-1], bool)
    return Mean(rate.mean(-1), (variance / size).sum(-1) / count**2, added, scores, weights, size.sum(-1), single)


def studies(scenario: Scenario, rate: float, other: float, seed: int, number: int) -> Iterator[dict[str, Array]]:
    """Of each study and scope: whether intervals miss, and the test's p. Two runs, or two of each seed, per study."""
    apart = scenario.sd / 2  # how slots differ in what training does to them
    sds = [scenario.sd, apart, scenario.seed_sd]
    levels = np.array([intercepts(each, float(np.linalg.norm(sds))) for each in (rate, other)])
    truth = np.array([[marginal(x, float(np.linalg.norm(sds))) for x in level] for level in levels])
    for start in range(0, number, CHUNK):
        rng = np.random.default_rng([seed, start])
        n = counts(scenario, rng, CHUNK)
        slots = rng.standard_normal((CHUNK, 1, n.shape[-1])) * scenario.sd
        training = rng.standard_normal((2, CHUNK, 1, n.shape[-1])) * apart
        every = rng.standard_normal((scenario.seeds, 2, CHUNK, 1, 1)) * scenario.seed_sd
        rates = expit(levels[:, None, :, None] + slots + training + every).reshape(-1, *n.shape)
        found, gained = outcomes(rng, n, np.broadcast_to(rates, (len(rates), *n.shape)))
        for scope, of in SCOPES.items():
            take = (slice(None), of)
            shared = bool(scenario.clusters)
            runs = [summary(k[take], k[take], n[take], shared) for k in found[::2]]
            change = truth[1, of].mean() - truth[0, of].mean()
            study = estimate(runs, truth[0, of].mean()) | compare(found, gained, n, take, shared, change, seed)
            if scope == "all" and rate == other:
                each = [(slice(None), slice(place, place + 1)) for place in range(LANGUAGES)]
                study["some"] = some_decided([paired(found, gained, n, own, shared) for own in each])
            yield {"scope": scope, **study}


def estimate(runs: list[Mean], truth: float) -> dict[str, Array]:
    low, high, _ = interval(over_runs(runs), (0, 1), 0.95)
    return {"low": low > truth, "high": high < truth, "width": high - low}


def paired(found: Array, gained: Array, n: Array, take: tuple, shared: bool) -> tuple[Mean, Array, Array, Array]:
    """The mean difference of two runs, or of two of each seed, and its interval with its degrees of freedom."""
    pairs, moved = [], []
    for first, second, up in zip(found[::2], found[1::2], gained[1::2], strict=True):
        change = (second - first)[take]
        differ = 2 * up[take] - change
        pairs.append(summary(change, differ, n[take], shared))
        moved.append((differ.sum(-1) / n[take].sum(-1)).mean(-1))
    together = over_runs(pairs)
    return together, *difference(together, np.mean(moved, axis=0), 1, 0.95)


def compare(found: Array, gained: Array, n: Array, take: tuple, shared: bool, truth: float, seed: int) -> dict:
    """Whether paired intervals miss, the p of the test, and whether a claim about the sign is held or not held."""
    together, low, high, df = paired(found, gained, n, take, shared)
    if together.runs == 1:
        p = sign_flips(together.sums, seed, DRAWS)
    else:
        p = 2 * t.sf(np.abs(together.value) * 2 * t.ppf(0.975, df) / (high - low), df)
    differ = (np.abs(together.sums) > 0).sum(-1)
    decided = (high < 0) | (low > 0)
    return {"pair_low": low > truth, "pair_high": high < truth, "p": p, "verdict": decided, "discordant": differ}


def some_decided(cells: list[tuple[Mean, Array, Array, Array]]) -> Array:
    """Of each study, whether a claim that some of these differences are below 0 is held, or not held.

    As `refuseu.analysis.verdict.decide` says of each.
    """
    held, failed = [], []
    for found, low, high, df in cells:
        wider = t.isf(0.025 / len(cells), df) / t.isf(0.025, df)
        held.append(found.value + wider * (high - found.value) < 0)
        failed.append(low > 0)
    return np.asarray(np.any(held, axis=0) | np.all(failed, axis=0))


def row(scenario: Scenario, rate: float, effect: bool, number: int, seed: int = 15) -> dict[str, object]:
    """Shares over all studies of one scenario."""
    parts: dict[str, list[dict]] = {scope: [] for scope in SCOPES}
    for part in studies(scenario, rate, rate / 2 if effect else rate, seed, number):
        parts[part.pop("scope")].append(part)
    shares = {"scenario": scenario.name, "rate": rate, "effect": effect, "studies": number}
    for scope, found in parts.items():
        study = {key: np.concatenate([part[key] for part in found]) for key in found[0]}
        shares[scope] = {
            "coverage": 1 - np.mean(study["low"] | study["high"]),
            "paired": 1 - np.mean(study["pair_low"] | study["pair_high"]),
            "found": np.mean(study["p"] <= 0.05),
            "verdicts": np.mean(study["verdict"]),
            "discordant": np.mean(study["discordant"]),
            "too_few": np.mean(study["discordant"] < 5),
        } | ({"some": np.mean(study["some"])} if "some" in study else {})
    return shares


def markdown(rows: list[dict]) -> str:
    """The table: coverage of a rate and of a paired difference; how often tests and verdicts see what is not there.

    Columns: the interval of a rate; that of a difference of two runs that do not differ, and of one that has half of
    the other's rate; and, where runs do not differ, how often the test has p <= 0.05, and how often a claim about the
    sign of the difference is held or not held: of one number, and of some of twelve languages (corrected).
    """
    columns = [f"{what}, {scope}" for what in ("rate", "difference", "halved") for scope in SCOPES]
    columns += [f"test, {scope}" for scope in SCOPES] + [f"verdict, {scope}" for scope in SCOPES]
    columns += ["verdict, some of 12", "discordant in a language"]
    lines = [f"| Scenario | ASR | {' | '.join(columns)} |", f"| :-- | --: |{' --: |' * len(columns)}"]
    by = {(each["scenario"], each["rate"], each["effect"]): each for each in rows}
    for name, rate in dict.fromkeys(key[:2] for key in by):
        null, half = by[name, rate, False], by.get((name, rate, True))
        values = [(null[scope]["coverage"], COVERAGE) for scope in SCOPES]
        values += [(null[scope]["paired"], COVERAGE) for scope in SCOPES]
        values += [(half[scope]["paired"] if half else np.nan, COVERAGE) for scope in SCOPES]
        values += [(null[scope]["found"], LEVEL) for scope in SCOPES]
        values += [(null[scope]["verdicts"], ERRORS) for scope in SCOPES] + [(null["all"]["some"], ERRORS)]
        shown = [percent(value, bounds, null["studies"]) for value, bounds in values]
        lines.append(f"| {name} | {rate:.1%} | {' | '.join(shown)} | {null['language']['discordant']:.1f} |")
    return "\n".join(lines) + "\n"


def percent(share: float, bounds: tuple[float, float], studies: int) -> str:
    """A share in percent, bold where it is outside its bounds by more than two standard errors."""
    error = 2 * np.sqrt(share * (1 - share) / studies)
    inside = not bounds[0] - error > share and not share > bounds[1] + error
    return f"{100 * share:.1f}" if inside else f"**{100 * share:.1f}**"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--rows", type=Path, required=True, help="where rows are kept")
    parser.add_argument("--only", default=",".join(map(str, range(len(SCENARIOS)))), help="numbers of scenarios")
    options = parser.parse_args()
    known = [json.loads(line) for line in options.rows.read_text().splitlines()] if options.rows.exists() else []
    done = {(each["scenario"], each["rate"], each["effect"]) for each in known}
    for scenario in [SCENARIOS[int(place)] for place in options.only.split(",")]:
        for rate in RATES:
            for effect in (False, True):
                if (scenario.name, rate, effect) not in done:
                    known.append(row(scenario, rate, effect, options.studies))
                    with options.rows.open("a") as out:
                        out.write(json.dumps(known[-1]) + "\n")
    date = datetime.datetime.now(datetime.UTC).date()
    sys.stdout.write(f"Coverage and errors in percent of {options.studies} studies each, {date}.\n\n{markdown(known)}")


if __name__ == "__main__":
    main()
