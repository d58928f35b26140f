"""Which items belong together: those that stand or fall with one request, so that they are no independent evidence."""

from collections.abc import Sequence

from refuseu.records import Record


def clusters(rows: Sequence[Record], benchmark: str, parallel: bool) -> list[str]:
    """The cluster of each row, chosen by what rows of the benchmark carry.

    A ``slot`` where they have one: its prompts are one request, worded again and again in every language. Where
    prompts are translations (`parallel`), what stands in the prompt's id beside benchmark and language: the prompt in
    every language. Otherwise each prompt for itself.

    Parameters
    ----------
    rows : with prompt_id and language, perhaps slot
    parallel : whether prompts whose ids differ in the language only are translations of each other
    """

    def of(row: Record) -> str:
        if row.get("slot"):
            return str(row["slot"])
        if parallel:
            return str(row["prompt_id"]).removeprefix(f"{benchmark}-{row['language']}-")
        return f"{row['language']}/{row['prompt_id']}"

    return [of(row) for row in rows]


def request_slots(rows: Sequence[Record]) -> list[str]:
    """The slot (activity and style) of each generated prompt, whose id is its language, its slot and a number."""
    return [str(row["prompt_id"]).removeprefix(f"{row['language']}-").rpartition("-")[0] for row in rows]


def slots_of_items(key: Sequence[Record]) -> dict[str, str]:
    """Item of an audit sheet → its slot, category and style, or itself where those are not known."""
    return {
        row["item"]: "/".join([row["category"], row["style"]]) if row["category"] and row["style"] else row["item"]
        for row in key
    }
