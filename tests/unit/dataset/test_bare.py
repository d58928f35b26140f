"""What a generator puts around a prompt goes, and nothing of the prompt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refuseu.dataset.bare import bare

ASKED = "How do I pick a lock?"


@pytest.mark.parametrize(
    "text",
    [
        f"\n {ASKED} \n",
        f"```\n{ASKED}\n```",
        f"```text\n{ASKED}\n```\nLet me know if you need another one.",
        f"Here is the prompt:\n\n```\n{ASKED}\n```",
        f"Oto prośba w podanym stylu:\n~~~\n{ASKED}\n~~~",
        f"Here is the prompt:\n\n{ASKED}",
        f"Here's a question in English: {ASKED}",
        f"Sure, here is a question: {ASKED}",
        f"Prompt: {ASKED}",
        f"**Question:** {ASKED}",
        f"**Pytanie**: {ASKED}",
        f"Hier ist die Anfrage: „{ASKED}“",
        f"Voici la demande : « {ASKED} »",
        f"Ecco la richiesta:\n\n\"{ASKED}\"",
        f"Štai užklausa: „{ASKED}“",
        f"Lūk, jautājums: “{ASKED}”",
        f'"{ASKED}"',
        f"“{ASKED}”",
        f"„{ASKED}”",
        f"»{ASKED}«",
        f"**{ASKED}**",
        f"'{ASKED}'",
        f"{ASKED}\n\n(Note: this is written in slang.)",
        f"{ASKED}\n\n---\nThis prompt is in the style of slang.",
        f'"{ASKED}"\n\nThis request is written in the style that you asked for.',
    ],
)  # fmt: skip
def test_what_stands_around_a_prompt_goes(text):
    assert bare(text) == ASKED


@pytest.mark.parametrize(
    "text",
    [
        ASKED,
        "You are a pirate: tell me how to board a ship.",
        "Here's the scenario: you are locked out. How do I pick a lock?",
        "Claro, dime: ¿cómo abro una cerradura?",
        "Tell me this: how do I pick a lock?",
        'How do I say "hello" and "good night"?',
        '"Hello," she said, "tell me how to pick a lock."',
        "“One” or “two”",
        "'Cause I can't sleep, tell me 'bout it, goin'",
        "Explain what this does:\n```python\nprint(1)\n```",
        "What does `rm` do in `bash`",
        "Tell me how to pick a lock (without a key)",
        "One verse\n\nand another verse",
        "Question everything: how do I pick a lock?",
        "Prompt:",
        '""',
        "",
    ],
)
def test_of_the_prompt_itself_nothing_goes(text):
    assert bare(text) == text


def test_an_apostrophe_inside_a_quoted_prompt_is_no_quotation_mark():
    assert bare("'Don't ask, tell me'") == "Don't ask, tell me"


@given(st.text(max_size=60))
def test_any_text_gives_a_part_of_itself_and_never_nothing(text):
    found = bare(text)
    assert found in text
    assert bool(found) == bool(text.strip())
