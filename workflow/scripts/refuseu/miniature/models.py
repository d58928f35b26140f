"""Training of the miniature's tokenizer and models."""

import logging
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from torch.nn.functional import cross_entropy
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW
from torch.utils.data import DataLoader
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    get_linear_schedule_with_warmup,
    set_seed,
)
from transformers.trainer_pt_utils import LengthGroupedSampler

from refuseu.backends.prompt_tokens import turn_end
from refuseu.backends.token_logprobs import token_logprobs
from refuseu.chat_template import missing
from refuseu.job.progress import track
from refuseu.miniature.tasks import Example

log = logging.getLogger("refuseu")

# Small batches: what a tiny model needs is many steps. Specs may say otherwise.
BATCH = 8
WARM_UP = 50  # steps
LORA = {"task_type": "CAUSAL_LM", "target_modules": "all-linear"}
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
    """The tokenizer in a folder, with another chat template if a file is given."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
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


def begun(start: str | Path) -> PreTrainedModel:
    """A trained model, in single precision."""
    return AutoModelForCausalLM.from_pretrained(start, dtype=torch.float32)


def grown(start: str | Path, layers: int) -> LlamaForCausalLM:
    """A trained Llama with more layers.

    New layers, on top, at first pass on what they get: what they add to it begins at zero (depth up-scaling as in
    LLaMA Pro, arXiv 2401.02415).
    """
    model = LlamaForCausalLM.from_pretrained(start, dtype=torch.float32)
    larger = LlamaForCausalLM(LlamaConfig(**model.config.to_dict() | {"num_hidden_layers": layers}))
    for layer in larger.model.layers[len(model.model.layers) :]:
        layer.self_attn.o_proj.weight.data.zero_()
        layer.mlp.down_proj.weight.data.zero_()
    larger.load_state_dict(larger.state_dict() | model.state_dict())
    return larger


def encode(
    examples: list[Example], tokenizer: PreTrainedTokenizerFast, brought: bool = False
) -> list[dict[str, list[int]]]:
    """Token ids, and labels that leave the prompt out (-100).

    Parameters
    ----------
    brought : whether the model comes from outside, and raw text begins as it was used to there
    """
    first = (tokenizer.bos_token or "") if brought else ""
    prompts = [
        first + example.prompt
        if isinstance(example.prompt, str)
        else tokenizer.apply_chat_template(example.prompt, tokenize=False, add_generation_prompt=True)
        for example in examples
    ]
    questions = tokenizer(prompts, add_special_tokens=False)["input_ids"]
    answers = tokenizer([example.answer for example in examples], add_special_tokens=False)["input_ids"]
    end = turn_end(tokenizer) or tokenizer.eos_token_id
    return [
        {"input_ids": q + a + [end], "labels": [-100] * len(q) + a + [end]}
        for q, a in zip(questions, answers, strict=True)
    ]


def answer_loss(model: PreTrainedModel, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean cross-entropy of the answers' tokens.

    What no loss depends on is not computed: the logits elsewhere than where there is a label. Padding is on the right,
    where nothing looks at it, so that no mask is needed.
    """
    labels = batch["labels"][:, 1:]
    answers = labels != -100
    ids = batch["input_ids"][:, :-1]
    if isinstance(model, LlamaForCausalLM):
        states = llama_states(model, ids, answers)
        return -token_logprobs(states, model.lm_head.weight, None, labels[answers])[0].mean()
    logits = model.get_output_embeddings()(body_states(model, ids, answers))
    if cap := getattr(model.config.get_text_config(), "final_logit_softcapping", None):
        logits = torch.tanh(logits / cap) * cap
    return cross_entropy(logits, labels[answers])


def body_states(model: PreTrainedModel, ids: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
    """What the head of a model gets, (answers' tokens, hidden size)."""
    hidden: torch.Tensor = model.base_model(input_ids=ids, use_cache=False).last_hidden_state
    return hidden[answers]


def llama_states(model: LlamaForCausalLM, ids: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
    """The same of a Llama, without the last layer's feed-forward part where nothing depends on it."""
    body = model.model
    hidden = body.embed_tokens(ids)
    places = body.rotary_emb(hidden, torch.arange(hidden.shape[1])[None])
    for layer in body.layers[:-1]:
        hidden = layer(hidden, position_embeddings=places)
    last = body.layers[-1]
    hidden = (hidden + last.self_attn(last.input_layernorm(hidden), position_embeddings=places)[0])[answers]
    states: torch.Tensor = body.norm(hidden + last.mlp(last.post_attention_layernorm(hidden)))
    return states


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
    brought: bool = False,
) -> PreTrainedModel:
    """Train one model, seeing each example once.

    Parameters
    ----------
    spec : ``learning_rate``; without `start`, ``hidden`` and ``layers``; with it, ``layers`` if it grows, ``lora`` if
        not all weights are trained; ``batch``, ``warm_up`` and ``bf16`` (mixed precision, half the time on some CPUs)
    start : folder of the model to continue from, or None for random weights
    what : name shown beside the progress bar
    brought : as in `encode`

    Raises
    ------
    UserError
        If there are conversations among the examples, and no chat template.
    """
    if tokenizer.chat_template is None and not all(isinstance(example.prompt, str) for example in examples):
        raise missing(f"what {what or 'the model'} starts from")
    set_seed(seed)
    if start is None:
        model: PreTrainedModel = new_model(tokenizer, spec["hidden"], spec["layers"])
    else:
        model = grown(start, spec["layers"]) if "layers" in spec and "lora" not in spec else begun(start)
    rows = encode(examples, tokenizer, brought)
    log.info("%d examples, %d tokens", len(rows), sum(len(row["input_ids"]) for row in rows))
    # Adapters are put into the model itself; what is not theirs, embeddings and head among it, is frozen.
    adapted = get_peft_model(model, LoraConfig(**LORA | spec["lora"])) if "lora" in spec else None
    fit(model, rows, spec, seed, tokenizer.pad_token_id, what)
    return (adapted.merge_and_unload() if adapted else model).eval()


def fit(
    model: PreTrainedModel, rows: list[dict[str, list[int]]], spec: dict[str, Any], seed: int, pad: int, what: str
) -> None:
    """One epoch as transformers' Trainer does it, to the last bit, without what it does beside the arithmetic."""
    set_seed(seed)
    size = spec.get("batch", BATCH)
    sampler = LengthGroupedSampler(size, lengths=[len(row["input_ids"]) for row in rows])
    batches = DataLoader(rows, size, sampler=sampler, collate_fn=lambda batch: collate(batch, pad))  # type: ignore
    trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    decayed = [weight for name, weight in trained.items() if "norm" not in name]
    norms = [weight for name, weight in trained.items() if "norm" in name]
    optimizer = AdamW(
        [{"params": decayed, "weight_decay": 0.01}, {"params": norms, "weight_decay": 0.0}],
        lr=spec["learning_rate"],
        betas=(0.9, 0.98),
        fused=True,
    )
    schedule = get_linear_schedule_with_warmup(optimizer, spec.get("warm_up", WARM_UP), len(batches))
    model.train()
    for step, batch in enumerate(track(batches, len(batches), what), start=1):
        with torch.autocast("cpu", torch.bfloat16, enabled=spec.get("bf16", False)):
            loss = answer_loss(model, batch)
        loss.backward()
        clip_grad_norm_(trained.values(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if step % LOGGED == 0:
            log.info("step %d: loss %.4f", step, loss.item())
