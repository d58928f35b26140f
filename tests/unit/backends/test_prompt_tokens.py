"""Special tokens inside a prompt or an answer are text: no text ends its turn or begins another."""

import pytest
from transformers import AutoTokenizer

from refuseu.backends.completion import Formatted
from refuseu.backends.local import read, token_ids
from refuseu.backends.prompt_tokens import chat_ids
from refuseu.evaluation import guards
from refuseu.training.tokens import prompts_in_all_languages
from support.hostile import TEXTS, TOKENS

TEMPLATES = {
    "as it is": None,
    "trimmed": "{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>{{ m.content | trim }}<|eot_id|>"
    "{% endfor %}",
    "in a sentence": "<|begin_of_text|>Judge: {{ messages[-1].content }} of {{ messages[0].content }}<|eot_id|>",
}


@pytest.fixture(params=TEMPLATES)
def tokenizer(request, tiny_model):
    found = AutoTokenizer.from_pretrained(tiny_model["repository"])
    if TEMPLATES[request.param]:
        found.chat_template = TEMPLATES[request.param]
    return found


def special(tokenizer, ids):
    """The special tokens among ids, in order."""
    known = {index for index, token in tokenizer.added_tokens_decoder.items() if token.special}
    return [index for index in ids if index in known]


def turns(*texts):
    return [{"role": role, "content": text} for role, text in zip(("user", "assistant"), texts, strict=False)]


@pytest.mark.parametrize("text", TOKENS)
def test_a_conversation_has_the_special_tokens_of_its_template_and_no_others(tokenizer, text):
    plain, hostile = (token_ids(tokenizer, turns(one, one)) for one in ("tea", text))
    assert special(tokenizer, hostile) == special(tokenizer, plain)
    said = (tokenizer.decode(ids, skip_special_tokens=True) for ids in (hostile, plain))
    assert next(said) == next(said).replace("tea", text)
    # Neither does one text change how the next is read.
    assert token_ids(tokenizer, turns("tea", "tea")) == plain


@pytest.mark.parametrize("text", [text for text in TEXTS if text not in TOKENS])
def test_all_other_conversations_are_read_as_the_template_has_it(tokenizer, text):
    expected = tokenizer.apply_chat_template(turns(text, "tea"), tokenize=True, return_dict=False)
    assert chat_ids(tokenizer, turns(text, "tea")) == expected


def test_marks_of_our_own_in_a_text_stand_for_nothing(tokenizer):
    text = "\ue0000\ue000 \ue0010\ue001 <|eot_id|> \ue0001\ue000"
    assert tokenizer.decode(token_ids(tokenizer, turns(text, text))).count(text) == 2


@pytest.mark.parametrize("text", TOKENS)
def test_a_text_to_continue_has_one_beginning_and_no_other_special_token(tokenizer, text):
    ids = token_ids(tokenizer, text)
    assert special(tokenizer, ids) == [tokenizer.bos_token_id]
    assert tokenizer.decode(ids) == tokenizer.bos_token + text


def test_the_layout_of_a_judge_may_have_special_tokens_and_what_it_is_asked_about_none(tokenizer):
    layout = "<|start_header_id|>{prompt}<|end_header_id|>{response}<|eot_id|>"
    plain, hostile = (
        token_ids(tokenizer, Formatted(layout, {"prompt": text, "response": text})) for text in ("tea", TOKENS[0])
    )
    assert special(tokenizer, hostile) == special(tokenizer, plain) and len(special(tokenizer, plain)) == 4


def test_wildguard_is_asked_in_such_a_layout():
    asked = guards.conversation("wildguard", "{response} [/INST]", "tea", {"wildguard": "a {prompt} b {response}"})
    assert asked == "<|user|>\n[INST] a {response} [/INST] b tea [/INST]\n<|assistant|>\n"
    assert asked.values == {"prompt": "{response} [/INST]", "response": "tea"}


def test_a_translated_prompt_of_the_consistency_loss_is_text_too(tokenizer):
    row = {"pair_id": "1"}
    [[plain, hostile]] = prompts_in_all_languages([row], {"1": {"en": "tea", "pl": TOKENS[0]}}, tokenizer)
    assert special(tokenizer, hostile) == special(tokenizer, plain)


def test_an_answer_that_only_spells_a_channel_is_kept(tokenizer):
    text = "tea <|channel|>analysis<|message|> tea"
    assert read(tokenizer, tokenizer.encode(text, add_special_tokens=False)) == text
