"""Two pictures of the workflow as SVG, laid out here: no other program is needed, and equal graphs make equal files."""

from collections.abc import Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from html import escape

from refdocs.graph import Graph, dry_run, graph_of

# Room → its colour, which is legible on white and on black.
COLOURS = {
    "assets": "#8a7b6b", "dataset": "#3b82c4", "training": "#b5651d", "evaluation": "#2f9e6e", "measures": "#9b59b6",
    "artifacts": "#c2467a", "report": "#b8860b",
}  # fmt: skip
MAKES = {
    "assets": "models, benchmarks, wording: pinned",
    "dataset": "seeds → prompts → pairs → train, test",
    "training": "pairs → an adapter per variant",
    "evaluation": "models × benchmarks → answers → verdicts",
    "measures": "verdicts → measures with intervals",
    "artifacts": "measures → tables and figures",
    "report": "claims tested, one page",
}
STYLE = """
text { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #24292f; }
.name { font-weight: bold; font-size: 14px; }
.soft { fill: #57606a; }
.edge { fill: none; stroke: #8b949e; stroke-width: 1.2; }
.back { stroke-dasharray: 4 3; }
.tip { fill: #8b949e; }
.node { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .soft { fill: #9da7b3; }
  .node { fill: #161b22; }
}
"""
CHARACTER = 7.25  # width of a letter at 12 px
HEIGHT = 24  # of a node


def svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    """A whole picture."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'role="img" aria-label="{escape(title)}">\n<title>{escape(title)}</title>\n<style>{STYLE}</style>\n'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 L8 4 L0 8 z" class="tip"/></marker></defs>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def label(x: float, y: float, text: str, kind: str = "", colour: str = "") -> str:
    """A line of text."""
    style = (f' class="{kind}"' if kind else "") + (f' style="fill:{colour}"' if colour else "")
    return f'<text x="{x:.0f}" y="{y:.0f}"{style}>{escape(text)}</text>'


def box(x: float, y: float, width: float, height: float, colour: str) -> str:
    """A rounded frame in the colour of a room."""
    return (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height:.0f}" rx="5" class="node" '
        f'style="stroke:{colour};stroke-width:1.6"/>'
    )


def wrapped(words: Sequence[str], width: int) -> list[str]:
    """Words in lines of at most so many letters."""
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) + 2 > width:
            lines.append("")
        lines[-1] += ("  " if lines[-1] else "") + word
    return lines


def dataflow(graph: Graph) -> str:
    """Rooms below each other: what each reads of which room, and its rules."""
    width, y, parts = 640, 8, []
    for number, (room, rules) in enumerate(graph.rooms.items()):
        read = {other: passed for other in graph.rooms if other != room and (passed := graph.passed(other, room))}
        if number:
            top = y
            y += 6
            for other, passed in read.items():
                for place, line in enumerate(wrapped(passed, 58)):
                    y += 17
                    parts.append(label(112, y - 4, line, "soft"))
                    if not place:
                        parts.append(label(30, y - 4, other, "", COLOURS[other]))
            y += 8
            parts.append(f'<path d="M16 {top:.0f} V{y - 1:.0f}" class="edge" marker-end="url(#tip)"/>')
        lines = wrapped(rules, 82)
        height = 30 + 17 * len(lines)
        parts += [box(8, y, width - 16, height, COLOURS[room]), label(18, y + 20, room, "name", COLOURS[room])]
        parts.append(label(18 + 9 * len(room) + 16, y + 20, MAKES[room], "soft"))
        parts += [label(18, y + 38 + 17 * place, line) for place, line in enumerate(lines)]
        y += height
    return svg(width, y + 8, "How data flow between the stages of the workflow", parts)


def forward(graph: Graph) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """The edges without those that a path of others says, and the edges that lead back."""
    order = {rule: place for place, rule in enumerate(rule for rules in graph.rooms.values() for rule in rules)}
    first = min(graph.rooms["dataset"], key=lambda rule: order[rule])
    back = {("feasibility", "generate_prompts")} & graph.edges
    ahead = set(graph.edges) - back
    order = {rule: place for place, rule in enumerate(TopologicalSorter(befores(ahead)).static_order())}
    assert first in order
    after: dict[str, set[str]] = {}
    for rule in sorted(order, key=lambda rule: -order[rule]):
        direct = {target for source, target in ahead if source == rule}
        after[rule] = direct.union(*(after[target] for target in direct))
    kept = {
        (source, target)
        for source, target in ahead
        if not any(target in after[other] for one, other in ahead if one == source and other != target)
    }
    return kept, back


def befores(edges: set[tuple[str, str]]) -> dict[str, set[str]]:
    """Rule → those before it."""
    found: dict[str, set[str]] = {}
    for source, target in sorted(edges):
        found.setdefault(target, set()).add(source)
    return found


def depths(rules: Sequence[str], edges: set[tuple[str, str]]) -> dict[str, int]:
    """How many rules of the same room come before each, on the longest way."""
    inside = {(source, target) for source, target in edges if source in rules and target in rules}
    found = dict.fromkeys(rules, 0)
    before = befores(inside)
    for rule in TopologicalSorter(before).static_order():
        found[rule] = max((found[one] + 1 for one in before.get(rule, ())), default=0)
    return found


def places(
    graph: Graph, edges: set[tuple[str, str]]
) -> tuple[dict[str, tuple[float, float]], dict[str, tuple[float, float]]]:
    """Where each rule is, and where each room begins and ends; rooms are bands, one below the other."""
    where, bands, y = {}, {}, 14.0
    for room, rules in graph.rooms.items():
        depth = depths(rules, edges)
        columns = {at: [rule for rule in rules if depth[rule] == at] for at in sorted({*depth.values()})}
        tall = max(map(len, columns.values()))
        bands[room] = y, y + tall * 34 + 12
        x = 108.0
        for members in columns.values():
            for row, rule in enumerate(members):
                where[rule] = x, y + 10 + row * 34 + (tall - len(members)) * 17
            x += max(map(len, members)) * CHARACTER + 38
        y = bands[room][1] + 14
    return where, bands


def rules(graph: Graph) -> str:
    """Rooms as bands of rules, with arrows to the rules that read what they make."""
    edges, back = forward(graph)
    where, bands = places(graph, edges)
    wide = {rule: len(rule) * CHARACTER + 14 for rule in where}
    width = max(x + wide[rule] for rule, (x, _) in where.items()) + 26
    parts = []
    for room, (top, bottom) in bands.items():
        parts.append(
            f'<rect x="4" y="{top:.0f}" width="{width - 8:.0f}" height="{bottom - top:.0f}" rx="8" '
            f'style="fill:{COLOURS[room]};fill-opacity:0.10"/>'
        )
        parts.append(label(14, top + 22, room, "name", COLOURS[room]))
    for source, target in sorted(edges | back):
        parts.append(
            arrow(
                where[source],
                where[target],
                wide[source],
                graph.room(source) == graph.room(target),
                (source, target) in back,
            )
        )
    for rule, (x, y) in where.items():
        parts += [box(x, y, wide[rule], HEIGHT, COLOURS[graph.room(rule)]), label(x + 7, y + 16, rule)]
    return svg(width, max(bottom for _, bottom in bands.values()) + 8, "The rules of the workflow by stage", parts)


def arrow(source: tuple[float, float], target: tuple[float, float], wide: float, inside: bool, back: bool) -> str:
    """A line from one rule to another: sideways in a room, downwards between rooms, over the top if it leads back."""
    (x, y), (u, v) = source, target
    if back:
        points = (x + wide / 2, y), (x, y - 26), (u + 60, v - 26), (u + 40, v - 1)
    elif inside:
        middle = (x + wide + u) / 2
        points = (x + wide, y + 12), (middle, y + 12), (middle, v + 12), (u - 1, v + 12)
    else:
        middle = (y + HEIGHT + v) / 2
        points = (x + wide / 2, y + HEIGHT), (x + wide / 2, middle), (u + 24, middle), (u + 24, v - 1)
    start, *rest = (f"{one:.0f} {other:.0f}" for one, other in points)
    return f'<path d="M{start} C{" ".join(rest)}" class="edge{" back" if back else ""}" marker-end="url(#tip)"/>'


def drawn(graph: Graph) -> Mapping[str, str]:
    """File → picture."""
    return {"docs/pictures/dataflow.svg": dataflow(graph), "docs/pictures/rules.svg": rules(graph)}


def written() -> Iterator[tuple[str, str]]:
    """File → its text."""
    yield from drawn(graph_of(dry_run())).items()
