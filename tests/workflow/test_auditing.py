"""The manual audit as a user runs it: sheets are drawn when asked for, or when one has come back."""

MINIATURE = ("--profile", "miniature")


def test_the_table_alone_asks_for_no_sheet(checkout):
    assert checkout.jobs("table8", *MINIATURE) == {"table8": 1}


def test_sheets_need_the_dataset_and_the_audited_models_only(checkout):
    found = checkout.jobs("audit_sheet", *MINIATURE)
    assert (found["audit_sheet"], found["split_pairs"], found["generate"], found["align"]) == (1, 1, 2, 2)
    assert not {"judge", "adjudicate", "metrics", "audit"} & set(found)


def test_without_models_sheets_need_the_dataset_only(checkout):
    configs = ["config/miniature/config.yaml", checkout.overlay("none.yaml", {"audit": {"models": []}})]
    assert not {"generate", "align"} & set(checkout.jobs("audit_sheet", *MINIATURE, "--configfile", *configs))


def test_the_released_dataset_is_audited_without_building_one(checkout):
    found = checkout.jobs("audit_sheet", "--profile", "slurm", "--configfile", "config/released.yaml")
    assert found["load_dataset"] == 1
    assert not {"translate_seeds", "build_pairs"} & set(found)


def test_the_audit_of_nothing_names_the_folder_and_starts_no_job(checkout):
    ended = checkout.snakemake("-n", *MINIATURE, "audit")
    assert ended.returncode == 1
    said = ended.stdout + ended.stderr
    assert "Missing input files for rule audit" in said and "resources/audit/miniature" in said


def test_an_audited_model_that_is_not_tested_is_one_sentence(checkout):
    configs = ["config/miniature/config.yaml", checkout.overlay("who.yaml", {"audit": {"models": ["guard_a"]}})]
    ended = checkout.snakemake("-n", *MINIATURE, "--configfile", *configs)
    assert ended.returncode == 1
    assert (
        "key audit.models names 'guard_a', which is not a model evaluated on a benchmark" in ended.stdout + ended.stderr
    )
