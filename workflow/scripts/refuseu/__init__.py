"""Library of the refuseu workflow: rooms, and what all of them share beside this file.

Importing it does nothing. A module imports only from its own room and from those named in the last column:

===========  ==========================================================  ===============================================
room         holds                                                       imports from
===========  ==========================================================  ===============================================
(top)        records, errors, languages, templates, assets, recipes
job          how a script becomes a job; the journal                     top
backends     how models are asked                                        top, job
dataset      seeds, prompts, answers, preference pairs                   top, job, backends
training     reference log-probabilities, alignment                      top, job, backends
evaluation   benchmarks, judges, verdicts, knowledge, fluency            top, job, backends
analysis     measures with intervals, tests of claims                    top
artifacts    tables, figures, the report                                 top, analysis
audit        annotation sheets and what comes back                       top, analysis, artifacts
miniature    the small world in which the study runs on any machine      all above but analysis, artifacts and audit
study        config and sheets as typed rows; light                      top and light modules of the rooms above
costs        what a study takes and has taken                            top, job, dataset, evaluation, study
runner       all that knows Snakemake; digests of code                   all
===========  ==========================================================  ===============================================

There is no circle, not even within a room, and only rules, costs and runner know the study
(``tests/unit/test_rooms.py``). Functions take plain arguments; only scripts see the ``snakemake`` object.
"""
