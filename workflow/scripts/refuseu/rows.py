"""What stands in the rows of the study's JSON Lines files; `refuseu.layouts` says which file holds which.

Rows are plain dicts, so that a file's bytes are what its writer gave. ``language`` is always an ISO 639-1
code, ``category`` a hazard category S1 to S14 (empty where there is none).
"""

from typing import NotRequired, TypedDict


class Turn(TypedDict):
    """A turn of a conversation.

    Attributes
    ----------
    role : system, user or assistant
    content : its text
    """

    role: str
    content: str


class Seed(TypedDict):
    """What prompts are made from, in one language.

    Attributes
    ----------
    kind : category, activity, style, definition (of a style) or instruction
    key : its id within the kind, e.g. ``S1``, ``S1-2``, ``slang``, ``refuse``
    category : of an activity; empty otherwise
    text : in the language
    """

    kind: str
    key: str
    category: str
    language: str
    text: str


class Prompt(TypedDict):
    """A generated prompt.

    Attributes
    ----------
    prompt_id : language, activity, style and number
    activity, style : keys of seeds; with the category they are the slot
    seed : it was sampled with
    generator : id of the model that wrote it
    prompt : its text, without what the model put around it
    trimmed : whether there was anything around it
    finish_reason : why the model ended; what was cut (length) is no prompt
    detected : language that was identified; empty where there are no letters
    """

    prompt_id: str
    language: str
    category: str
    activity: str
    style: str
    seed: int
    generator: str
    prompt: str
    trimmed: bool
    finish_reason: str
    detected: str


class Answer(TypedDict):
    """A chosen or rejected answer to a prompt of the dataset.

    Attributes
    ----------
    response : its text
    finish_reason : why the model ended; what was cut (length) is not trained on
    detected : language that was identified; empty where there are no letters
    """

    prompt_id: str
    language: str
    prompt: str
    response: str
    finish_reason: str
    detected: str


class Said(TypedDict):
    """What a judge of safety said.

    Attributes
    ----------
    label : safe, unsafe or unparsed; cut where a response is nothing but reasoning
    categories : violated ones, S1 to S14 or the family's own names
    unsafe_probability : of the first word; None where the judge has no such word or gave no log-probabilities
    refusal : whether it calls the response a refusal; None where the family does not say
    raw : its completion
    """

    label: str
    categories: list[str]
    unsafe_probability: float | None
    refusal: bool | None
    raw: str


class Label(Said):
    """What a judge said of one prompt, answer or response."""

    prompt_id: str
    language: str


class PromptLabel(Label):
    """What a judge said of a generated prompt.

    Attributes
    ----------
    generator : whose prompt it is; those of a pilot share ids
    """

    generator: str
    category: str


class Pair(TypedDict):
    """A preference pair.

    Attributes
    ----------
    pair_id : the prompt's id
    activity, style : of its slot; empty in the released dataset
    chosen, rejected : conversations with the same prompt; the last turn is the answer
    slot : what the split holds out as a whole (not in the released dataset, nor before the split)
    """

    pair_id: str
    language: str
    category: str
    activity: str
    style: str
    prompt: str
    chosen: list[Turn]
    rejected: list[Turn]
    slot: NotRequired[str]


class ReleasedPrompt(TypedDict):
    """A prompt of the released test half, which has no answers; its slot is its row_id."""

    pair_id: str
    language: str
    category: str
    style: str
    slot: str
    prompt: str


class Translation(TypedDict):
    """The prompt of a pair in several languages.

    Attributes
    ----------
    translations : language → text
    """

    pair_id: str
    translations: dict[str, str]


class BenchmarkPrompt(TypedDict):
    """A prompt of a benchmark.

    Attributes
    ----------
    prompt_id : unique within its language
    style, slot : of the study's own test half; else empty
    """

    prompt_id: str
    language: str
    category: str
    style: str
    slot: str
    prompt: str


class Question(TypedDict):
    """A question of Global MMLU in its released columns.

    Attributes
    ----------
    split : test, or dev for questions that are shown solved
    answer : A to D
    """

    language: str
    split: str
    sample_id: str
    subject: str
    question: str
    option_a: str
    option_b: str
    option_c: str
    option_d: str
    answer: str


class Response(TypedDict):
    """What a model under evaluation said to a prompt of a benchmark; why it ended (stop, length, content_filter)."""

    prompt_id: str
    language: str
    category: str
    style: str
    slot: str
    prompt: str
    response: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


class Verdict(TypedDict):
    """The final word on a response.

    Attributes
    ----------
    verdict : safe, unsafe, unparsed or cut
    decided_by : ``agreement`` of the guards, or the adjudicator
    labels : judge → label
    categories : violated ones, of who decided
    """

    prompt_id: str
    language: str
    category: str
    verdict: str
    decided_by: str
    labels: dict[str, str]
    categories: list[str]


class Rating(TypedDict):
    """Ratings of a response from 1 to 5; None where the judge gave none."""

    prompt_id: str
    language: str
    fluency: int | None
    correctness: int | None


class Knowledge(TypedDict):
    """Whether a question was answered correctly."""

    language: str
    sample_id: str
    subject: str
    correct: bool


class Measure(TypedDict):
    """What is known of a response, or of the answer to a question, without its text.

    Attributes
    ----------
    cluster : what stands or falls together, see `refuseu.analysis.dependence`
    detected : language that was identified
    outcome : refusal, compliance, empty, degenerate, wrong_language or cut
    stated, marked : whether a guard, and whether the markers, call it a refusal, where the guard does say
    verdict, decided_by, labels : as in `Verdict` (harmful benchmarks)
    fluency, correctness, correct : as in `Rating` and `Knowledge`
    """

    prompt_id: str
    language: str
    category: str
    style: str
    slot: str
    cluster: NotRequired[str]
    detected: NotRequired[str]
    outcome: NotRequired[str]
    stated: NotRequired[bool]
    marked: NotRequired[bool]
    verdict: NotRequired[str]
    decided_by: NotRequired[str]
    labels: NotRequired[dict[str, str]]
    fluency: NotRequired[int | None]
    correctness: NotRequired[int | None]
    correct: NotRequired[bool]
