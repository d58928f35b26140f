"""What is said of a table or figure in one place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from refuseu.artifacts.choices import Choice

MEASURES = "<study>/measure/{evaluation}.csv <study>/over_seeds/{seeded}.csv"
FURTHER = "<study>/measure/{further}.csv <study>/over_seeds/{further_seeded}.csv"
COMPARISONS = "<study>/compare/{comparison}.csv"


@dataclass(frozen=True)
class Artifact:
    """A table, a figure, or a page of its own.

    Attributes
    ----------
    section : where the report shows it
    target : name of its rule, of its log and of its place in the report
    file : name of its files in ``tables`` or ``figures``
    drawn : its function, ``module:function`` of `refuseu.artifacts`; it takes what `inputs`, `facts` and `says` name,
        and gives a `tables.Table`, or, told the ``width`` in inches, a figure and the data drawn
    models, benchmarks : the models that it shows, and the benchmarks (or kinds, apart by blanks) on which
    title, caption : what the report says of it; ``code`` and *emphasis* only
    further : kinds of benchmarks on which it shows such models besides
    inputs : parameter → file; ``{slot}`` stands for each value of a slot of `study.selection`, one after the other;
        blanks part several patterns
    published : files in ``resources/published``; several make a list
    facts : parameters that `study.selection` knows by name
    says : parameters with their values
    when : what a study must have so that it is one of its artifacts, see `study.selection.has`; it can still be asked
        for by name
    method : the page below ``docs/explanation`` on how it is made, where it is not that of its section
    columns : of a page, 1 or 2, that a figure is as wide as
    frame : whether there is a file of all values besides, in a folder of its own
    heavy : whether it is more than seconds of work on a small table, so that a cluster takes it
    words : whether it reads the words of prompts or answers, so that nobody can draw it where these were left out
    """

    section: str
    kind: Literal["table", "figure", "page"]
    target: str
    file: str
    drawn: str = ""
    models: Choice | None = None
    benchmarks: str = ""
    title: str = ""
    caption: str = ""
    further: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    published: tuple[str, ...] = ()
    facts: tuple[str, ...] = ("languages", "models")
    says: Mapping[str, str] = field(default_factory=dict)
    when: str = ""
    method: str = ""
    columns: int = 2
    frame: bool = False
    heavy: bool = False
    words: bool = False

    @property
    def csv(self) -> str:
        """Its data, relative to the results of a study."""
        return f"{self.kind}s/{self.file}.csv"

    @property
    def function(self) -> str:
        """Its drawing function, as `pkgutil.resolve_name` takes it."""
        return f"refuseu.artifacts.{self.drawn}"
