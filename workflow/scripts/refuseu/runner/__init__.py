"""What knows Snakemake: checks before the first job, jobs left with SLURM, digests of code."""
