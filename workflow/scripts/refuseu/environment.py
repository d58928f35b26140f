"""What holds in every job before anything heavy is imported."""

import os
import sys

# No job but the asset rules may reach a hub, and no library may phone home.
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    "MPLBACKEND": "Agg",
}


def prepare() -> None:
    """In a job: set the hubs offline and, with warm workers, hand the job over to one of them."""
    if not hasattr(sys.modules["__main__"], "snakemake"):
        return
    for name, value in OFFLINE.items():
        os.environ.setdefault(name, value)
    if os.environ.get("REFUSEU_WARM"):
        from refuseu import warm

        warm.hand_over()
