"""The graph of rules of the paper's study, read off a dry run."""

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from refdocs.schemas import ROOT
from refuseu.artifacts.declared import ARTIFACTS

Jobs = Mapping[str, tuple[set[str], set[str]]]
# Rooms in the order in which data goes through them, named as their files in rules/.
ROOMS = ("assets", "dataset", "training", "evaluation", "measures", "artifacts", "report")


@dataclass(frozen=True)
class Graph:
    """Rules and what goes between them.

    Attributes
    ----------
    rooms : room → its rules, those that come first in front; tables and figures are one each
    edges : (rule, rule that reads what it makes)
    """

    rooms: Mapping[str, tuple[str, ...]]
    edges: frozenset[tuple[str, str]]

    def room(self, rule: str) -> str:
        """The room of a rule."""
        return next(room for room, rules in self.rooms.items() if rule in rules)

    def passed(self, source: str, target: str) -> list[str]:
        """Rules of a room whose results another room reads, in their order."""
        return [rule for rule in self.rooms[source]
                if any(one == rule and other in self.rooms[target] for one, other in self.edges)]  # fmt: skip


@cache
def dry_run() -> Jobs:
    """Job → its inputs and outputs, of everything that the paper's study makes by default."""
    command = [sys.executable, "-m", "snakemake", "-n", "--nolock", "--forceall", "all", "--profile", "slurm"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if said.returncode:
        sys.exit(said.stdout + said.stderr)
    jobs = {}
    for number, (rule, body) in enumerate(
        re.findall(r"^(?:local)?rule (\w+):\n((?: {4}.*\n)*)", said.stdout + said.stderr, re.M)
    ):
        given = dict(re.findall(r"^ {4}(\w+): (.*)$", body, re.MULTILINE))
        jobs[f"{rule} {number}"] = tuple({*given.get(key, "").split(", ")} - {""} for key in ("input", "output"))
    return jobs


def graph_of(jobs: Jobs) -> Graph:
    """Rules and rooms of jobs, whose names begin with that of their rule."""
    drawn = {artifact.target: f"{artifact.kind}s" for artifact in ARTIFACTS if artifact.kind != "page"}
    makers = {file: drawn.get(job.split()[0], job.split()[0]) for job, (_, made) in jobs.items() for file in made}
    edges = set()
    for job, (read, _) in jobs.items():
        rule = drawn.get(job.split()[0], job.split()[0])
        edges |= {(makers[file], rule) for file in read if file in makers and makers[file] != rule}
    edges = {edge for edge in edges if "all" not in edge}
    rooms = {room: found for room in ROOMS if (found := rules_of(room, {*makers.values()}))}
    return Graph(rooms, frozenset(edges))


def rules_of(room: str, known: Iterable[str]) -> tuple[str, ...]:
    """The rules of a file that have jobs, in its order."""
    text = (ROOT / f"rules/{room}.smk").read_text(encoding="utf-8")
    names = (
        ["tables", "figures"]
        if room == "artifacts"
        else re.findall(r"^ *(?:use )?rule (?:\w+ as )?(\w+)(?: with)?:\n", text, re.M)
    )
    return tuple(name for name in names if name in known)
