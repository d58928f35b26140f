"""DPO as one would write it with TRL: `python plain_trl.py run.json` trains one run in a process of its own."""

import json
import sys
import time
from pathlib import Path

import torch
from datasets import load_dataset
from peft import LoraConfig
from transformers import AutoTokenizer
from trl import DPOConfig, DPOTrainer

run = json.loads(Path(sys.argv[1]).read_text())
trainer = DPOTrainer(
    run["model"],
    args=DPOConfig(output_dir=run["output"], use_cpu=True, report_to="none", disable_tqdm=True, **run["trainer"]),
    train_dataset=load_dataset("json", data_files=run["pairs"], split="train"),
    processing_class=AutoTokenizer.from_pretrained(run["model"]),
    peft_config=LoraConfig(task_type="CAUSAL_LM", **run["lora"]),
)
passes = 0


def count(module, arguments, keywords):
    """Pairs that go through the model as the reference."""
    global passes
    passes += 0 if torch.is_grad_enabled() else len(keywords["input_ids"]) // 2


trainer.model.get_base_model().model.register_forward_pre_hook(count, with_kwargs=True)
start = time.process_time()
trainer.train()
seconds = time.process_time() - start
trainer.save_model(run["output"])
losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
Path(run["facts"]).write_text(json.dumps({"seconds": seconds, "passes": passes, "losses": losses}))
