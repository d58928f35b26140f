"""A job: how it starts, logs, shows progress, keeps what costs, and is launched on several GPUs."""

from typing import TYPE_CHECKING, Any

from refuseu.job.start import script

__all__ = ["Snakemake", "script"]

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake
else:
    Snakemake = Any  # of no use when a job runs
