"""Reference log-probabilities of preference pairs under a base, once for all runs that start from it."""

import math
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils.fsdp_utils import fsdp2_prepare_model
from datasets import Dataset
from peft import LoraConfig

from refuseu.asked import Asked
from refuseu.errors import UserError
from refuseu.job.journal import Journal
from refuseu.records import Record, digest
from refuseu.rows import Pair
from refuseu.training.logprobs import REFERENCE, basis
from refuseu.training.tokens import Tokens, token_digest, tokenise, totals, width
from refuseu.training.trainers import TokenisedDPO, load_model, load_tokenizer, log_counts, trainer_config

REFERENCE_BATCH = 32  # pairs


def reference(
    pairs: Sequence[Pair], base: Asked, settings: dict[str, Any], journal: str | Path, workdir: str | Path
) -> tuple[Record, list[Tokens], list[Record]]:
    """Reference log-probabilities of all pairs under one base; of what the journal holds, nothing is computed again.

    Parameters
    ----------
    base : a row of models.tsv as a dict
    settings : fields of the recipes on which they depend (`logprobs.SETTINGS`)
    journal : file of what was computed before
    workdir : scratch folder of the trainer

    Returns
    -------
    basis, rows, values : what `logprobs.write_reference` writes; values are sums over the answer's tokens

    Raises
    ------
    UserError
        If one of them is not finite.
    """
    config = trainer_config("dpo", settings, output_dir=str(workdir), gradient_checkpointing=False)
    processes, sharded = PartialState(), os.environ.get("ACCELERATE_USE_FSDP") == "true"
    tokenizer = load_tokenizer(base)
    rows, counts = tokenise(pairs, tokenizer, config.max_length)
    log_counts(counts | totals(rows))
    found = basis(base, tokenizer, config)
    keys = [digest(found, token_digest(row)) for row in rows]

    def compute(missing: list[Tokens]) -> Iterator[tuple[int, Record]]:
        trainer = TokenisedDPO(
            load_model(base),
            args=config,
            train_dataset=Dataset.from_list(missing[:1]),
            processing_class=tokenizer,
            # With an adapter, which is off in this pass, TRL loads no second copy of the weights for FSDP.
            peft_config=LoraConfig(task_type="CAUSAL_LM", r=1, target_modules="all-linear") if sharded else None,
        )
        if sharded:
            trainer.model = fsdp2_prepare_model(trainer.accelerator, trainer.model)
        order = sorted(range(len(missing)), key=lambda index: -width(missing[index]))
        everyone = processes.num_processes
        for start in range(0, len(order), REFERENCE_BATCH * everyone):
            together = order[start : start + REFERENCE_BATCH * everyone]
            # Each process takes equally many, so that none waits for a pass that another does not make.
            indices = (together[processes.process_index :: everyone] + together[-1:])[: -(-len(together) // everyone)]
            batch = trainer._prepare_inputs(trainer.data_collator([missing[index] for index in indices]))
            values = trainer.compute_ref_log_probs(trainer.model, batch)
            columns = [torch.tensor(indices, device=values[0].device), *values]
            part = torch.stack([column.double() for column in columns], dim=1)
            table = {int(index): pair for index, *pair in trainer.accelerator.gather(part).tolist()}
            for index, (chosen, rejected) in table.items():
                if not math.isfinite(chosen + rejected):
                    raise UserError(
                        f"the reference log-probability of pair {missing[index]['pair_id']!r} under {base['model']!r} "
                        "is not a number; check its weights and dtype, or set bf16 of the recipes to false"
                    )
                yield index, dict(zip(REFERENCE, (chosen, rejected), strict=True))

    with ExitStack() as until_answered:
        with processes.main_process_first():
            if not processes.is_main_process:  # knows what the first one knows, and keeps nothing
                own = Path(workdir) / f"{processes.process_index}.jsonl"
                journal = shutil.copy(journal, own) if Path(journal).exists() else own
            known = Journal(journal, base["model"])
            # From here on nobody else adds to it: all processes lack the same, which they compute together.
            if processes.is_main_process and (known.late or not known.records.keys() >= set(keys)):
                until_answered.enter_context(known.alone())
        processes.wait_for_everyone()
        return found, rows, known.ask(rows, keys, compute)
