"""Training of the miniature's tokenizer and models."""

import logging
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW
from torch.utils.data import DataLoader
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    get_linear_schedule_with_warmup,
    set_seed,
)
from transformers.trainer_pt_utils import LengthGroupedSampler

from refuseu.job.progress import track
from refuseu.miniature.tasks import Example

log = logging.getLogger("refuseu")

# Small batches: what a tiny model needs is many steps.
BATCH = 8
WARM_UP = 50  # steps
LOGGED = 50  # steps

BOS, EOS, TURN, PAD = "<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>", "<|finetune_right_pad_id|>"
SPECIAL = [BOS, EOS, "<|start_header_id|>", "<|end_header_id|>", TURN, PAD]


def train_tokenizer(texts: list[str], vocabulary: int, chat_template: str) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer with Llama 3's special tokens.

    Like Llama 3's, it puts the begin-of-text token first when asked to add special tokens.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=SPECIAL,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A {BOS} $B", special_tokens=[(BOS, SPECIAL.index(BOS))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=TURN,
        pad_token=PAD,
        padding_side="left",
        model_max_length=1024,
        clean_up_tokenization_spaces=False,
        chat_template=chat_template,
    )


def load_tokenizer(folder: str | Path, chat_template: str | None = None) -> PreTrainedTokenizerFast:
    """The trained tokenizer, with another chat template if a file is given."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    if chat_template:
        tokenizer.chat_template = Path(chat_template).read_text(encoding="utf-8")
    return tokenizer


def new_model(tokenizer: PreTrainedTokenizerFast, hidden: int, layers: int) -> LlamaForCausalLM:
    """A randomly initialised Llama."""
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=hidden * 5 // 2,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        initializer_range=0.07,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return LlamaForCausalLM(config)


def grown(start: str | Path, layers: int | None) -> LlamaForCausalLM:
    """A trained model, with more layers if so many are wanted.

    New layers, on top, at first pass on what they get: what they add to it begins at zero (depth up-scaling as in
    LLaMA Pro, arXiv 2401.02415).
    """
    model = LlamaForCausalLM.from_pretrained(start, dtype=torch.float32)
    if layers is None:
        return model
    larger = LlamaForCausalLM(LlamaConfig(**model.config.to_dict() | {"num_hidden_layers": layers}))
    for layer in larger.model.layers[len(model.model.layers) :]:
        layer.self_attn.o_proj.weight.data.zero_()
        layer.mlp.down_proj.weight.data.zero_()
    larger.load_state_dict(larger.state_dict() | model.state_dict())
    return larger


def encode(examples: list[Example], tokenizer: PreTrainedTokenizerFast) -> list[dict[str, list[int]]]:
    """Token ids, and labels that leave the prompt out (-100)."""
    prompts = [
        example.prompt
        if isinstance(example.prompt, str)
        else tokenizer.apply_chat_template(example.prompt, tokenize=False, add_generation_prompt=True)
        for example in examples
    ]
    questions = tokenizer(prompts, add_special_tokens=False)["input_ids"]
    answers = tokenizer([example.answer + TURN for example in examples], add_special_tokens=False)["input_ids"]
    return [{"input_ids": q + a, "labels": [-100] * len(q) + a} for q, a in zip(questions, answers, strict=True)]


def answer_loss(model: LlamaForCausalLM, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean cross-entropy of the answers' tokens.

    What no loss depends on is not computed: the last layer's feed-forward part and the logits elsewhere than where
    there is a label. Padding is on the right, where nothing looks at it, so that no mask is needed.
    """
    labels = batch["labels"][:, 1:]
    answers = labels != -100
    body = model.model
    hidden = body.embed_tokens(batch["input_ids"][:, :-1])
    places = body.rotary_emb(hidden, torch.arange(hidden.shape[1])[None])
    for layer in body.layers[:-1]:
        hidden = layer(hidden, position_embeddings=places)
    last = body.layers[-1]
    hidden = (hidden + last.self_attn(last.input_layernorm(hidden), position_embeddings=places)[0])[answers]
    hidden = body.norm(hidden + last.mlp(last.post_attention_layernorm(hidden)))
    return cross_entropy(model.lm_head(hidden), labels[answers])


def collate(rows: list[dict[str, list[int]]], pad: int) -> dict[str, torch.Tensor]:
    """Right-padded batch of (examples, longest)."""
    longest = max(len(row["input_ids"]) for row in rows)
    return {
        key: torch.tensor([row[key] + [value] * (longest - len(row[key])) for row in rows])
        for key, value in (("input_ids", pad), ("labels", -100))
    }


def train(
    examples: list[Example],
    tokenizer: PreTrainedTokenizerFast,
    spec: dict[str, Any],
    start: str | Path | None,
    seed: int,
    what: str = "",
) -> LlamaForCausalLM:
    """Train one model, seeing each example once.

    Parameters
    ----------
    spec : ``learning_rate``; without `start`, ``hidden`` and ``layers``; with it, ``layers`` if it grows
    start : folder of the model to continue from, or None for random weights
    what : name shown beside the progress bar
    """
    set_seed(seed)
    model = grown(start, spec.get("layers")) if start else new_model(tokenizer, spec["hidden"], spec["layers"])
    rows = encode(examples, tokenizer)
    log.info("%d examples, %d tokens", len(rows), sum(len(row["input_ids"]) for row in rows))
    fit(model, rows, spec["learning_rate"], seed, tokenizer.pad_token_id, what)
    return model.eval()


def fit(
    model: LlamaForCausalLM, rows: list[dict[str, list[int]]], learning_rate: float, seed: int, pad: int, what: str
) -> None:
    """One epoch as transformers' Trainer does it, to the last bit, without what it does beside the arithmetic."""
    set_seed(seed)
    sampler = LengthGroupedSampler(BATCH, lengths=[len(row["input_ids"]) for row in rows])
    batches = DataLoader(rows, BATCH, sampler=sampler, collate_fn=lambda batch: collate(batch, pad))  # type: ignore
    decayed = [weight for name, weight in model.named_parameters() if "norm" not in name]
    norms = [weight for name, weight in model.named_parameters() if "norm" in name]
    optimizer = AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": norms, "weight_decay": 0.0}],
        lr=learning_rate,
        betas=(0.9, 0.98),
        fused=True,
    )
    schedule = get_linear_schedule_with_warmup(optimizer, WARM_UP, len(batches))
    model.train()
    for step, batch in enumerate(track(batches, len(batches), what), start=1):
        loss = answer_loss(model, batch)
        loss.backward()
        clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if step % LOGGED == 0:
            log.info("step %d: loss %.4f", step, loss.item())
