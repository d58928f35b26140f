"""Library of the refuseu workflow.

Layers, lowest first; a module imports only from layers below it:

1. ``errors, script, records, languages`` know nothing of the study.
2. ``study`` reads config and sheets into typed rows.
3. One module per step (``translate, prompts, guards, align, metrics, ...``). Those that need torch
   import it at their top and are imported only by the scripts of GPU-heavy rules.

Functions take plain arguments. Only ``script`` sees the ``snakemake`` object.
"""

from refuseu.job import environment

environment.prepare()
