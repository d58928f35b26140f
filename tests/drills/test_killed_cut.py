"""The three-language cut, killed again and again: it ends as if nothing had happened."""

import random
import re

from support.cut import Cut

TRAINED = ("train_tokenizer", "train_model", "toxicity_prompts")


def test_killed_three_times_and_started_again_it_ends_with_the_same_artifacts(undisturbed, tmp_path):
    killed = Cut(tmp_path)
    killed.take(undisturbed, TRAINED)
    moments = random.Random(1)
    for _ in range(3):
        killed.kill_after(steps=moments.randint(20, 60), seconds=moments.uniform(0, 1))
        killed.run("--unlock")
    before = len(killed.told())
    killed.run()
    said = killed.told()[before:]
    assert not set(TRAINED) & set(re.findall(r"^(?:local)?rule (\w+):", said, re.MULTILINE))
    expected, found = undisturbed.artifacts(), killed.artifacts()
    assert [name for name in expected if found.get(name) != expected[name]] == []
