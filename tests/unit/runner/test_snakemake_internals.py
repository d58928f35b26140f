"""A version of Snakemake that this workflow does not know costs speed or a check, says so, and runs all the same."""

import io
import logging
import os
import subprocess
from types import SimpleNamespace

import pytest
import snakemake.script
from snakemake.jobs import GroupJob

from refuseu.errors import UserError
from refuseu.runner import cluster, snakemake_internals
from support.helpers import ROOT, SCRIPTS

RUN = "0b1c1d2e-1111-2222-3333-444455556666"


class Rule(SimpleNamespace):
    """As Snakemake's, so far as it is touched."""

    def set_params(self, **params):
        self.params |= params


def rule(name="align", output="results/paper/align/{model,[a-z]+}/{benchmark}.jsonl"):
    return Rule(
        name=name,
        script=f"../workflow/scripts/{name}.py",
        basedir=ROOT / "rules",
        output=[output],
        output_modifier="modifier",
        params={},
    )


def workflow(**parts):
    limit = SimpleNamespace(max_jobs=100, timespan=1)
    known = {
        "rules": [rule(), Rule(name="mine", script="mine.py", basedir="/elsewhere"), Rule(name="all", script=None)],
        "modifier": SimpleNamespace(is_module=True), "_onstart": lambda log: None,
        "scheduler": SimpleNamespace(job_rate_limiter=limit),
        "dag": SimpleNamespace(needrun_jobs=lambda: iter(["a job"])),
        "executor_plugin": SimpleNamespace(name="slurm"),
        "local_exec": True, "touch": False, "remote_exec": False, "subprocess_exec": False, "_localrules": {"table1"},
    }  # fmt: skip
    return SimpleNamespace(**{name: part for name, part in (known | parts).items() if part is not None})


def started(known):
    return snakemake_internals.start_module(known, list)


def test_only_a_module_starts_what_snakemake_starts_for_a_main_workflow_and_after_it():
    for is_module, wanted in ((True, ["own", "module"]), (False, ["own"])):
        calls = []
        known = workflow(
            modifier=SimpleNamespace(is_module=is_module), _onstart=lambda log, calls=calls: calls.append("own")
        )
        snakemake_internals.start_module(known, lambda calls=calls: calls.append("module"))
        known._onstart("log")
        assert calls == wanted


def test_a_step_is_known_by_its_script_whatever_the_rule_is_called():
    assert snakemake_internals.step(rule("align")) == "align"
    renamed = Rule(name="safety_judge", script="../workflow/scripts/judge.py")
    assert snakemake_internals.step(renamed) == "judge"
    assert snakemake_internals.step(Rule(name="all", script=None)) == "all"


def test_the_known_version_is_asked_without_a_word(capsys):
    known = workflow()
    assert [one.name for one in snakemake_internals.work_rules(known)] == ["align"]
    assert snakemake_internals.jobs_to_run(known) == ["a job"]
    assert snakemake_internals.runs_here(known) and snakemake_internals.on_slurm(known)
    snakemake_internals.unthrottle(known)
    assert known.scheduler.job_rate_limiter is None
    snakemake_internals.set_param(known.rules[0], "code", "digest")
    assert known.rules[0].params == {"code": "digest"}
    assert capsys.readouterr().err == ""


def job(name, model, made=False):
    return SimpleNamespace(rule=SimpleNamespace(name=name), wildcards={"model": model}, made=made)


class Dependencies(dict):
    """Job → who makes its inputs, by the model of the job."""

    def __getitem__(self, one):
        return SimpleNamespace(items=lambda: self.get(one.wildcards["model"], []))


def test_a_job_is_told_of_the_others_of_its_rule_but_not_of_those_with_inputs_from_before(tmp_path):
    (tmp_path / "old.jsonl").write_text("")
    own, new, remade, done = (job("judge", model, made=model == "done") for model in ("own", "new", "remade", "done"))
    maker = job("generate", "any")
    inputs = {"new": [(maker, {f"{tmp_path}/new.jsonl"})], "remade": [(maker, {f"{tmp_path}/old.jsonl"})]}
    dag = SimpleNamespace(
        needrun_jobs=lambda: (one for one in (own, new, remade, done, maker) if not one.made),
        needrun=lambda one: True,
        finished=lambda one: one.made,
        dependencies=Dependencies(inputs),
    )
    assert snakemake_internals.others_to_run(workflow(dag=dag, dryrun=False), "judge", {"model": "own"}) == [new]
    assert snakemake_internals.others_to_run(workflow(dag=dag, dryrun=True), "judge", {"model": "own"}) == []


def test_where_jobs_cannot_be_listed_each_loads_for_itself(capsys):
    assert snakemake_internals.others_to_run(workflow(), "judge", {}) == []
    assert "each job loads its model for itself" in capsys.readouterr().err


@pytest.fixture
def environ(monkeypatch):
    """The environment of this process, put back after a test."""
    monkeypatch.setattr(os, "environ", environ := dict(os.environ))
    environ.pop(snakemake_internals.SENT, None)
    return environ


def sent(*jobs):
    """A process that is to run these jobs: rule and model."""
    targets = [SimpleNamespace(rulename=rule, wildcards_dict={"model": model}) for rule, model in jobs]
    known = SimpleNamespace(
        expand_input=lambda told: ([f"responses/{told['model']}"], {}, {}, False),
        expand_output=lambda told: ([f"labels/{told['model']}"], {}),
    )
    settings = SimpleNamespace(target_jobs=targets)
    return workflow(dag_settings=settings, parent_groupids={}, remote_exec=True, get_rule=lambda rule: known)


def test_a_job_is_told_of_those_that_a_node_got_with_it_as_one(environ):
    node, alone = sent(("judge", "a"), ("judge", "b"), ("generate", "c")), sent(("judge", "a"))
    assert snakemake_internals.one_after_another(node, "group") == "group"
    assert node.parent_groupids == {"group": "start"}
    snakemake_internals.one_after_another(alone, "group")  # in the job's own process, which knows itself alone
    [other] = snakemake_internals.sent_together(alone, "judge", {"model": "a"})
    assert (other.wildcards, other.input, other.output) == ({"model": "b"}, ["responses/b"], ["labels/b"])


def test_who_was_sent_alone_or_is_another_run_on_that_node_is_told_of_nobody(environ, capsys):
    alone = sent(("judge", "a"))
    snakemake_internals.one_after_another(alone, "group")
    assert snakemake_internals.sent_together(alone, "judge", {"model": "a"}) == []
    snakemake_internals.one_after_another(sent(("judge", "b"), ("judge", "c")), "group")
    assert snakemake_internals.sent_together(alone, "judge", {"model": "a"}) == []
    assert snakemake_internals.sent_together(sent(("judge", "b")), "generate", {"model": "b"}) == []
    assert capsys.readouterr().err == ""


def test_where_nobody_can_be_told_each_loads_for_itself(environ, capsys):
    node = sent(("judge", "a"), ("judge", "b"))
    del node.dag_settings
    snakemake_internals.one_after_another(node, "group")
    assert snakemake_internals.SENT not in environ
    snakemake_internals.one_after_another(sent(("judge", "a"), ("judge", "b")), "group")
    del node.get_rule
    assert snakemake_internals.sent_together(node, "judge", {"model": "a"}) == []
    assert capsys.readouterr().err.count("each job loads its model for itself") == 2


@pytest.mark.parametrize("state", ["touch", "remote_exec", "subprocess_exec"])
def test_who_only_adopts_results_or_is_a_job_has_no_jobs_to_run(state):
    assert snakemake_internals.jobs_to_run(workflow(**{state: True})) == []


def test_a_limit_that_somebody_asked_for_stays():
    limited = workflow(scheduler=SimpleNamespace(job_rate_limiter=SimpleNamespace(max_jobs=7, timespan=1)))
    snakemake_internals.unthrottle(limited)
    assert limited.scheduler.job_rate_limiter.max_jobs == 7


@pytest.mark.parametrize(
    ("ask", "missing", "found", "said"),
    [
        ("unthrottle", "scheduler", None, "short jobs are started slowly"),
        ("work_rules", "rules", [], "an edit of code reruns nothing by itself"),
        ("start_module", "modifier", None, "nothing is checked before the first job"),
        ("jobs_to_run", "dag", [], "what the jobs need was not checked"),
        ("jobs_to_run", "touch", [], "what the jobs need was not checked"),
        ("runs_here", "local_exec", False, "whether this machine has a GPU was not checked"),
        ("on_slurm", "executor_plugin", False, "whether jobs of an earlier run are with SLURM was not checked"),
    ],
)
def test_what_is_missing_in_another_version_is_named_and_does_without(capsys, ask, missing, found, said):
    asked = started if ask == "start_module" else getattr(snakemake_internals, ask)
    assert asked(workflow(**{missing: None})) == found
    error = capsys.readouterr().err
    assert error.startswith("refuseu: unknown version of Snakemake (") and said in error and error.count("\n") == 1


def test_a_rule_that_takes_no_further_param_is_named(capsys):
    snakemake_internals.set_param(SimpleNamespace(name="align"), "code", "digest")
    assert "name what must be made anew with --forcerun" in capsys.readouterr().err


def test_a_rule_is_measured_where_its_outputs_wildcards_say():
    known, measured = workflow(), rule()
    snakemake_internals.set_benchmark(known, measured, "results/paper/benchmarks")
    assert measured.benchmark == "results/paper/benchmarks/align/{model}/{benchmark}.tsv"
    alone = rule("claims", "results/paper/claims.csv")
    snakemake_internals.set_benchmark(known, alone, "results/paper/benchmarks")
    assert alone.benchmark == "results/paper/benchmarks/claims/claims.tsv"


def test_a_rule_of_the_submit_host_is_not_measured(capsys):
    light = rule("table1")
    snakemake_internals.set_benchmark(workflow(), light, "benchmarks")
    assert not hasattr(light, "benchmark")
    snakemake_internals.set_benchmark(workflow(_localrules=None), light, "benchmarks")
    assert "table1 is not measured" in capsys.readouterr().err


@pytest.fixture
def plain_handler():
    """A handler as Snakemake's own, at its logger."""
    logger, handler = logging.getLogger("snakemake.logging"), logging.StreamHandler(io.StringIO())
    handler.name, before = "DefaultStreamHandler", list(logger.handlers)
    logger.handlers = [handler]
    yield handler
    logger.handlers = before


def said_by(handlers, **settings):
    """The handlers that are left when ours asks for the terminal of a run with such settings."""
    known = {"dryrun": False, "verbose": False, "quiet": {"host"}}
    snakemake_internals.take_terminal(workflow(output_settings=SimpleNamespace(**known | settings)), handlers.append)
    return logging.getLogger("snakemake.logging").handlers


def test_the_terminal_is_taken_from_snakemakes_own_handler_and_no_other(plain_handler):
    taken = []
    assert said_by(taken) == [None] and taken == [plain_handler.stream]
    logging.getLogger("snakemake.logging").handlers = [logging.NullHandler()]  # of a plugin
    assert len(said_by(taken)) == 1 and len(taken) == 1


@pytest.mark.parametrize("chosen", [{"dryrun": True}, {"verbose": True}, {"quiet": {"all"}}])
def test_how_snakemake_talks_stays_if_it_was_chosen(plain_handler, chosen):
    assert said_by([], **chosen) == [plain_handler]


def test_in_another_version_the_terminal_shows_snakemakes_own_lines(plain_handler, capsys):
    snakemake_internals.take_terminal(workflow(), print)
    assert "the terminal shows Snakemake's own lines" in capsys.readouterr().err


def test_tables_and_figures_are_a_stage_each():
    drawn = {"table1": "table", "fig2": "figure"}
    rules = [*(Rule(name=name, script=f"{one}.py", basedir=SCRIPTS) for name, one in drawn.items()), rule()]
    assert snakemake_internals.stages(workflow(rules=rules)) == {
        "table1": "tables",
        "fig2": "figures",
        "align": "align",
    }


def test_only_chatter_is_left_out(caplog):
    logger = logging.getLogger("snakemake.logging")
    before = list(logger.filters)
    snakemake_internals.hush()
    try:
        for text in ("Execute 3 jobs...", "Select jobs to execute...", "Finished jobid: 3"):
            logger.warning(text)
        logger.warning(None)  # whatever a version logs
    finally:
        logger.filters = before
    assert [record.getMessage() for record in caplog.records] == ["Finished jobid: 3", "None"]


# What an earlier run left with SLURM


def queue(monkeypatch, tmp_path, *rows):
    """Let squeue say these rows: name, comment."""
    monkeypatch.chdir(tmp_path)
    said = "".join(f"{name}|{tmp_path}|{comment}\n" for name, comment in rows) + f"{RUN}|/elsewhere|rule_align\n"
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=said))


JOBS = [SimpleNamespace(rule=SimpleNamespace(name="judge"), wildcards=["guard", "a/b"])]


def test_a_job_that_is_with_slurm_already_stops_the_run(monkeypatch, tmp_path):
    queue(monkeypatch, tmp_path, (RUN, "rule_judge_wildcards_guard_a_b"))
    with pytest.raises(UserError, match=f"1 of the jobs to run are with SLURM .*scancel --name {RUN}"):
        cluster.check_left_over(JOBS)


def test_a_job_that_was_sent_with_others_as_one_stops_it_too(monkeypatch, tmp_path):
    queue(monkeypatch, tmp_path, (RUN, "rule_judge_guard_0_judge"))
    cluster.check_left_over(JOBS)
    together = [SimpleNamespace(**vars(JOBS[0]), group="judge_guard_0")]
    with pytest.raises(UserError, match="1 of the jobs to run are with SLURM"):
        cluster.check_left_over(together)


def test_other_steps_and_other_peoples_jobs_do_not(monkeypatch, tmp_path, capsys):
    queue(monkeypatch, tmp_path, (RUN, "rule_judge_wildcards_guard_c"), ("my_own_job", "(null)"))
    cluster.check_left_over(JOBS)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("comment", ["(null)", "", "judge guard=guard", "step:judge"])
def test_a_job_of_some_run_that_does_not_name_its_step_is_never_passed_over_in_silence(
    monkeypatch, tmp_path, capsys, comment
):
    queue(monkeypatch, tmp_path, (RUN, comment))
    cluster.check_left_over(JOBS)
    assert f"({RUN}), so it could not be checked whether they are among the jobs to run" in capsys.readouterr().err


def test_the_plugin_that_is_installed_writes_comments_as_they_are_read():
    import snakemake_executor_plugin_slurm as plugin

    with open(plugin.__file__, encoding="utf-8") as lines:
        source = lines.read()
    assert 'comment_str = f"rule_{job.name}"' in source
    assert 'comment_str = f"rule_{job.name}_wildcards_{wildcard_str}"' in source
    group = SimpleNamespace(groupid="judge_guard_0", jobs=[SimpleNamespace(rule=SimpleNamespace(name="judge"))])
    assert GroupJob.name.fget(group) == "judge_guard_0_judge"


def test_a_script_goes_to_who_can_run_it_and_else_to_a_python_of_its_own(monkeypatch):
    started, script = [], snakemake.script.PythonScript
    monkeypatch.setattr(script, "execute_script", lambda self, file, edit=False: started.append(file))
    codes = {"well.py": 0, "badly.py": 3, "cold.py": None}
    snakemake_internals.hand_over_scripts(lambda file: codes[os.path.basename(file)])
    script.execute_script(None, "well.py")
    with pytest.raises(subprocess.CalledProcessError, match="3"):
        script.execute_script(None, "badly.py")
    assert started == []
    script.execute_script(None, "cold.py")
    assert started == ["cold.py"]


def test_where_no_script_can_be_handed_over_each_has_a_python(monkeypatch, capsys):
    monkeypatch.delattr(snakemake.script, "PythonScript")
    snakemake_internals.hand_over_scripts(lambda file: 0)
    assert "each job starts a python of its own" in capsys.readouterr().err


def test_what_the_command_line_says_of_the_config_has_the_types_of_yaml():
    said = {"figures": {"dpi": "300", "style": "plain"}, "fill": {"most": "null", "on": ["true", "x"]}, "study": "mine"}
    workflow = SimpleNamespace(config_settings=SimpleNamespace(config=said))
    found = {"figures": {"dpi": 300, "style": "plain"}, "fill": {"most": None, "on": [True, "x"]}, "study": "mine"}
    assert snakemake_internals.told(workflow) == found
