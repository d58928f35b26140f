"""ASR by judges that built the data and by held-out ones, against numbers worked out by hand."""

import pandas as pd
import pytest

from refuseu.analysis.circularity import MEASURES, circularity_of
from refuseu.artifacts.judges import by_judge, rate_or_change
from refuseu.artifacts.tables import lost_note
from refuseu.errors import UserError

MODELS = {"m": {"model": "m", "base": "small", "variant": "balanced", "method": "dpo", "seed": 1}}
GROUPS = {"high_resource": ["en"], "low_resource": ["sk"]}
STATISTICS = {"confidence": 0.95, "seed": 1}


def frame(column, en, sk):
    words = {"u": "unsafe", "s": "safe", "?": "unparsed", "c": "cut"}
    rows = [(code, f"{code}-{n}", words[c]) for code, said in (("en", en), ("sk", sk)) for n, c in enumerate(said)]
    found = pd.DataFrame(rows, columns=["language", "prompt_id", column])
    return found.assign(cluster=found["prompt_id"]) if column == "verdict" else found


def measured(outside=("sk",), shuffled=False):
    ours, theirs = frame("verdict", "uussss", "uuuu?s"), frame("label", "uuuu?s", "ssuuss")
    theirs = theirs.sample(frac=1, random_state=1) if shuffled else theirs
    return circularity_of({"m": ours}, {("j", "m"): theirs}, {"j": outside}, MODELS, GROUPS, **STATISTICS)


def value(found, metric, language, column="value"):
    [row] = found[(found["metric"] == metric) & (found["language"] == language)].to_dict("records")
    return row[column]


@pytest.mark.parametrize(
    ("metric", "en", "sk", "both"),
    [
        ("asr", 2 / 6, 4 / 5, 17 / 30),  # one Slovak verdict is unclear,
        ("held_out_asr", 4 / 5, 2 / 6, 17 / 30),  # and so is one English label
        ("difference", 2 / 5, -2 / 5, 0),  # over the answers of which both are known
    ],
)
def test_rates_and_their_difference_are_those_counted_by_hand(metric, en, sk, both):
    found = measured()
    assert value(found, metric, "en") == value(found, metric, "high_resource") == pytest.approx(en)
    assert value(found, metric, "sk") == pytest.approx(sk)
    assert value(found, metric, "all") == pytest.approx(both)
    assert value(found, metric, "en", "n") == {"asr": 6}.get(metric, 5)
    assert value(found, metric, "en", "ci_low") <= en <= value(found, metric, "en", "ci_high")


def test_answers_are_paired_by_prompt_and_not_by_their_order():
    pd.testing.assert_frame_equal(measured(), measured(shuffled=True))


def test_the_difference_is_shown_over_the_languages_a_judge_was_made_for():
    found = measured()
    assert value(found, "official", "all") == pytest.approx(2 / 5)
    assert set(found.loc[found["metric"] == "official", "language"]) == {"en", "high_resource", "all"}
    assert value(measured(outside=()), "official", "all") == pytest.approx(0)


def test_sign_flips_count_the_answers_that_changed():
    found = measured()
    # en: two answers went up, none down; sk: none up, two down. Of 16 outcomes 6 are as near
    # to 0 and count by half; of 4 outcomes 2 are as far, none further.
    assert value(found, "difference", "all", "p") == pytest.approx((10 + 6 / 2) / 16)
    assert value(found, "official", "all", "p") == pytest.approx(2 / 2 / 4)
    assert pd.isna(value(found, "asr", "all", "p"))


def test_unparsed_labels_are_counted_and_in_no_rate():
    found = measured()
    assert [value(found, "held_out_asr", code, "unparsed") for code in ("en", "sk", "all")] == [1, 0, 1]


@pytest.mark.parametrize("unknown", ["?", "c"])
def test_a_language_without_any_label_leaves_no_average_over_it_and_is_named(unknown):
    ours, theirs = frame("verdict", "us", "uu"), frame("label", "us", unknown * 2)
    found = circularity_of({"m": ours}, {("j", "m"): theirs}, {"j": ()}, MODELS, GROUPS, **STATISTICS)
    for metric in ("held_out_asr", "difference", "official"):
        values = found[found["metric"] == metric].set_index("language")["value"]
        assert values[["en", "high_resource"]].notna().all() and values[["sk", "low_resource", "all"]].isna().all()
    assert value(found, "asr", "all") == 3 / 4
    assert value(found, "held_out_asr", "sk", "unparsed") == (2 if unknown == "?" else 0)
    assert lost_note(found).endswith("Balanced (small): Slovak. ") and lost_note(measured()) == ""


def test_an_answer_without_a_label_is_an_error_and_not_left_out():
    ours, theirs = frame("verdict", "us", "us"), frame("label", "us", "u")
    with pytest.raises(ValueError, match="labels of j and the verdicts on m are about different answers"):
        circularity_of({"m": ours}, {("j", "m"): theirs}, {"j": ()}, MODELS, GROUPS, **STATISTICS)


def test_without_a_held_out_judge_the_key_is_named():
    with pytest.raises(UserError, match=r"judging\.held_out names no judge"):
        circularity_of({}, {}, {}, MODELS, GROUPS, **STATISTICS)


def test_the_page_has_a_row_per_run_and_intervals_at_the_differences():
    shown = by_judge(measured(), MODELS)
    assert shown["metric"].tolist() == list(MEASURES) and set(shown["language"]) == {"all"}
    texts = rate_or_change(shown)
    assert texts[:2] == ["56.7", "56.7"]
    assert texts[2].startswith("0.0 [−") and texts[3].startswith("+40.0 [")


def test_several_training_seeds_are_one_row_with_an_interval_that_holds_for_other_seeds():
    seeds = {f"m{seed}": MODELS["m"] | {"model": f"m{seed}", "seed": seed} for seed in (1, 2)}
    verdicts = {model: frame("verdict", "uussss", "uuuu?s") for model in seeds}
    labels = {("j", "m1"): frame("label", "uuuu?s", "ssuuss"), ("j", "m2"): frame("label", "uuusss", "uuuuss")}
    found = circularity_of(verdicts, labels, {"j": ("sk",)}, seeds, GROUPS, **STATISTICS)
    # en: +2/5 and +1/6, sk: -2/5 and 0, so the seeds are at 0 and 1/12
    whole = found[(found["seed"] == "all") & (found["language"] == "all")].set_index("metric")
    assert whole.loc["difference", "value"] == pytest.approx(1 / 24)
    assert whole.loc["official", "value"] == pytest.approx((2 / 5 + 1 / 6) / 2)
    assert whole["model"].eq("").all() and whole.loc["difference", "n"] == 10
    shown = by_judge(found, seeds).set_index("metric")
    assert (shown["seeds"] == 2).all()
    assert shown.loc["difference", "ci_low"] < 0 < shown.loc["difference", "ci_high"]
    texts = dict(zip(shown.index, rate_or_change(shown.reset_index()), strict=True))
    assert texts["asr"] == "56.7" and texts["difference"].startswith("+4.2 [−")
