"""The end of a turn is what the chat template writes behind an assistant's words, and generation stops there."""

import pytest
from transformers import AutoTokenizer

from refuseu.backends.local import end_tokens, token_ids
from refuseu.backends.prompt_tokens import after_answer, turn_end
from refuseu.errors import UserError

START, TURN = "<|start_header_id|>", "<|finetune_right_pad_id|>"  # stand for any model's own
ENDS = {
    "right behind": ("{% for m in messages %}" + START + "{{ m.content }}" + TURN + "{% endfor %}", TURN),
    "and a new line": ("{% for m in messages %}" + START + "{{ m.content }}" + TURN + "\n{% endfor %}", TURN),
    "after more text": ("{% for m in messages %}{{ m.content }} END {% endfor %}" + TURN, TURN),
    "none": ("{% for m in messages %}" + START + "{{ m.content }}\n{% endfor %}", None),
    "no answers": ("{{ raise_exception('only one turn') }}", None),
    "no template": (None, None),
}


@pytest.fixture
def tokenizer(tiny_model):
    return AutoTokenizer.from_pretrained(tiny_model["repository"])


@pytest.mark.parametrize("case", ENDS)
def test_the_end_of_a_turn_is_found_where_the_template_has_one(tokenizer, case):
    tokenizer.chat_template, expected = ENDS[case]
    assert turn_end(tokenizer) == (tokenizer.convert_tokens_to_ids(expected) if expected else None)
    wanted = {tokenizer.convert_tokens_to_ids(token) for token in ("<|eot_id|>", "<|end_of_text|>", expected) if token}
    assert set(end_tokens(tokenizer)) == wanted


def test_what_follows_an_answer_is_no_part_of_it(tokenizer):
    tokenizer.chat_template = ENDS["and a new line"][0]
    assert tokenizer.decode(after_answer(tokenizer)) == TURN + "\n"


def test_without_a_chat_template_one_sentence_names_the_model_and_the_cure(tokenizer, tiny_model):
    tokenizer.chat_template = None
    with pytest.raises(UserError, match=rf"{tiny_model['repository']} has no chat template, .* column chat_template"):
        token_ids(tokenizer, [{"role": "user", "content": "Hello"}])
    assert token_ids(tokenizer, "Hello")  # raw text needs none
