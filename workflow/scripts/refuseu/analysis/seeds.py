"""Runs that differ in their training seed alone, as one."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from refuseu.analysis.intervals import Mean, jackknife, rows

ONE = "one training seed: the interval says nothing about other seeds"


def over_runs(runs: Sequence[Mean]) -> Mean:
    """The mean over runs on the same items, whose variance holds that of the seeds.

    Obuchowski and Rockette (1995), Hypothesis testing of diagnostic accuracy for multiple readers and multiple tests:
    runs are readers, items are cases. What runs differ by, MS, over their number, plus the covariance of two runs. The
    part of MS that items alone would give is taken off what is called the seeds' (`Mean.training`).

    Parameters
    ----------
    runs : of the same items, clusters in the same order; one run is returned as it is
    """
    if len(runs) == 1:
        return runs[0]
    value = np.stack([run.value for run in runs])
    count = len(runs)
    sums, scores = (np.mean([getattr(run, name) for run in runs], axis=0) for name in ("sums", "scores"))
    together = replace(runs[0], value=value.mean(0), sums=sums, scores=scores)
    within = np.mean([jackknife(run) for run in runs], axis=0)
    # The variance of the mean of the runs is that of one over their number, and the covariance for the rest.
    shared = (count * jackknife(together) - within) / (count - 1)
    between_runs = value.var(0, ddof=1) / count
    alone = np.mean([run.independent for run in runs], axis=0)
    return replace(
        together,
        independent=alone * np.clip(jackknife(together) / np.where(within > 0, within, 1), 0, 1),
        training=between_runs - (within - shared) / count,
        between_runs=between_runs,
        runs=count,
    )


def over_runs_by_scope(by_run: Sequence[tuple[list[str], Mean]]) -> tuple[list[str], Mean]:
    """The scopes that all runs have, in the order of the first, and the means of each over runs.

    Parameters
    ----------
    by_run : what `refuseu.analysis.estimates.means` returned for each run
    """
    common = [scope for scope in by_run[0][0] if all(scope in names for names, _ in by_run)]
    return common, over_runs([rows(found, [names.index(scope) for scope in common]) for names, found in by_run])
