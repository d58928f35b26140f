"""A bundle of results: equal results, equal bytes; nothing of it is believed before its checksum fits."""

import gzip
import hashlib
import io
import json
import random
import shutil
import tarfile

import pytest

from refuseu.errors import UserError
from refuseu.publish import bundle, rebuild, unpack
from refuseu.records import write_jsonl

CANARY = "canary-7f3a"
LABEL = {"prompt_id": "1", "language": "en", "label": "unsafe", "categories": ["S1"], "unsafe_probability": 0.25,
         "refusal": None, "raw": CANARY}  # fmt: skip
CARRIED = ("measure/a/b.csv", "judge/guard/a/b.jsonl", "audit/verdicts.jsonl")


@pytest.fixture
def results(tmp_path):
    """The results of a study of three files, with a text and a name in them."""
    folder = tmp_path / "made/results/tiny"
    write_jsonl(folder / "judge/guard/a/b.jsonl", [LABEL])
    write_jsonl(folder / "audit/verdicts.jsonl", [{"prompt_id": "1", "annotator": "Jane Roe", "verdict": "safe"}])
    (folder / "measure/a").mkdir(parents=True)
    (folder / "measure/a/b.csv").write_text("metric,value\nasr,0.5\n")
    (folder / "tables").mkdir()
    (folder / "tables/t.csv").write_text("x\n1\n")
    return folder


def pack(results, path, reveal=False, **more):
    scratch = path.parent / f"{path.name}.scratch"
    files = bundle.collect(results, [str(results / name) for name in CARRIED], reveal, scratch)
    files |= bundle.describe("tiny", {"study": "tiny"}, {"dpo": {"lora": None}}, True, scratch)
    about = bundle.manifest("tiny", files, {"tables/t.csv": results / "tables/t.csv"}, [], reveal)
    bundle.pack(path, "tiny", files, about | more)
    return path


@pytest.fixture
def packed(results, tmp_path):
    return pack(results, tmp_path / "tiny.tar.gz")


def unzipped(path):
    return gzip.decompress(path.read_bytes())


def test_the_same_results_are_the_same_bytes_whatever_their_times(results, packed, tmp_path):
    shutil.copytree(results, tmp_path / "again/results/tiny", copy_function=shutil.copy)
    again = pack(tmp_path / "again/results/tiny", tmp_path / "other.tar.gz")
    assert packed.read_bytes() == again.read_bytes()


def test_what_is_unpacked_is_what_was_packed(packed, results, tmp_path):
    about = unpack.unpack(packed, tmp_path / "results")
    folder = tmp_path / "results/tiny"
    assert (folder / "measure/a/b.csv").read_bytes() == (results / "measure/a/b.csv").read_bytes()
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == {*about["files"], bundle.MANIFEST}
    assert list((tmp_path / "results").iterdir()) == [folder]
    assert unpack.unpack(packed, tmp_path / "results") == about  # once more: nothing to do


def test_no_text_and_no_name_of_an_annotator_is_in_it_unless_texts_are_revealed(packed, results, tmp_path):
    assert CANARY.encode() not in unzipped(packed) and b"Jane" not in unzipped(packed)
    whole = unzipped(pack(results, tmp_path / "whole.tar.gz", reveal=True))
    assert CANARY.encode() in whole and b"Jane" not in whole


def test_it_does_not_mix_with_other_results(packed, tmp_path):
    (tmp_path / "results/tiny/measure").mkdir(parents=True)
    with pytest.raises(UserError, match=r"holds other results.*fresh clone"):
        unpack.unpack(packed, tmp_path / "results")


# What is damaged or comes from strangers


def refused(path, tmp_path, said):
    with pytest.raises(UserError, match=said) as error:
        unpack.unpack(path, tmp_path / "results")
    assert len(str(error.value)) < 600
    assert not (tmp_path / "results").exists() or list((tmp_path / "results").iterdir()) == []
    assert not (tmp_path / "outside").exists()


def test_a_bundle_that_is_not_there_or_is_something_else(tmp_path):
    refused(tmp_path / "none.tar.gz", tmp_path, "there is no bundle")
    refused(tmp_path, tmp_path, "there is no bundle")
    for content in (b"", b"no archive", gzip.compress(b""), gzip.compress(b"no archive at all" * 100)):
        (tmp_path / "x.tar.gz").write_bytes(content)
        refused(tmp_path / "x.tar.gz", tmp_path, "is no whole bundle|does not begin with the manifest")


def test_no_damage_goes_unnoticed(packed, tmp_path):
    content, moments = packed.read_bytes(), random.Random(1)
    damaged = tmp_path / "damaged.tar.gz"
    for _ in range(150):
        place = moments.randrange(10, len(content))
        damaged.write_bytes(content[:place] + bytes([content[place] ^ moments.randint(1, 255)]) + content[place + 1 :])
        refused(damaged, tmp_path, ".")
    for _ in range(40):
        damaged.write_bytes(content[: moments.randrange(len(content))])
        refused(damaged, tmp_path, ".")


def repacked(packed, path, edit):
    """The bundle with other members, as a stranger could write them."""
    with tarfile.open(packed) as archive:
        members = [(info, archive.extractfile(info).read()) for info in archive]
    with tarfile.open(path, "w:gz") as archive:
        for info, content in edit(members):
            info.size = len(content) if info.isreg() else 0
            archive.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return path


def special(kind, name, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


HOSTILE = {
    "a file above": lambda m: [*m, (tarfile.TarInfo("tiny/../../outside"), b"x")],
    "a file by its absolute path": lambda m: [*m, (tarfile.TarInfo("/outside"), b"x")],
    "another folder": lambda m: [*m, (tarfile.TarInfo("other/measure/a/b.csv"), b"x")],
    "no folder": lambda m: [*m[:-1], (tarfile.TarInfo(m[-1][0].name.removeprefix("tiny/")), m[-1][1])],
    "a file that nobody named": lambda m: [*m, (tarfile.TarInfo("tiny/tables/t.csv"), b"x")],
    "a link": lambda m: [*m[:-1], special(tarfile.SYMTYPE, m[-1][0].name, "/etc/passwd")],
    "a hard link": lambda m: [*m[:-1], special(tarfile.LNKTYPE, m[-1][0].name, m[1][0].name)],
    "a link to a folder first": lambda m: [m[0], special(tarfile.SYMTYPE, "tiny/measure", ".."), *m[1:]],
    "a device": lambda m: [*m[:-1], special(tarfile.CHRTYPE, m[-1][0].name)],
    "a file twice": lambda m: [*m, m[-1]],
    "a file less": lambda m: m[:-1],
    "no manifest": lambda m: m[1:],
    "the manifest at the end": lambda m: [*m[1:], m[0]],
    "other bytes": lambda m: [*m[:-1], (m[-1][0], bytes(len(m[-1][1])))],
    "more bytes": lambda m: [*m[:-1], (m[-1][0], m[-1][1] + b"x")],
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_the_manifest_does_not_name_is_refused(packed, tmp_path, what):
    refused(repacked(packed, tmp_path / "hostile.tar.gz", HOSTILE[what]), tmp_path, r"hostile\.tar\.gz")


def manifested(packed, path, edit):
    """The bundle with another manifest."""

    def other(members):
        about = json.loads(members[0][1])
        edit(about)
        return [(members[0][0], json.dumps(about).encode()), *members[1:]]

    return repacked(packed, path, other)


NAMED = {
    "study": lambda a: a.update(study="../up"),
    "file above": lambda a: a["files"].update({"../outside": {"sha256": "0" * 64, "bytes": 1}}),
    "absolute file": lambda a: a["files"].update({"/outside": {"sha256": "0" * 64, "bytes": 1}}),
    "hidden file": lambda a: a["files"].update({".snakemake/x": {"sha256": "0" * 64, "bytes": 1}}),
    "file as a folder": lambda a: a["files"].update({"measure/a/b.csv/x": {"sha256": "0" * 64, "bytes": 1}}),
    "option as a result": lambda a: a["rebuilt"].update({"--forceall": "0" * 64}),
    "result above": lambda a: a["rebuilt"].update({"../../x": "0" * 64}),
    "no digest": lambda a: a["files"].update({"x": {"bytes": 1}}),
    "no format": lambda a: a.pop("format"),
    "files as a list": lambda a: a.update(files=[]),
    "huge number": lambda a: a["files"].update({"x": {"sha256": "0" * 64, "bytes": 1e30}}),
}


@pytest.mark.parametrize("what", NAMED)
def test_a_manifest_that_no_bundle_has_is_refused(packed, tmp_path, what):
    refused(manifested(packed, tmp_path / "x.tar.gz", NAMED[what]), tmp_path, "has a manifest that no bundle has|begin")


def test_a_bundle_too_large_for_the_disk_is_refused_before_it_is_written(packed, tmp_path):
    path = manifested(packed, tmp_path / "x.tar.gz", lambda a: a["files"]["measure/a/b.csv"].update(bytes=10**18))
    refused(path, tmp_path, "free some")


def test_another_version_and_other_rows_name_the_commit_that_reads_them(packed, tmp_path):
    code = {"commit": "abcdef0123456789", "dirty": False}
    for edit in (lambda a: a.update(version=2, code=code), lambda a: a.update(layouts="0" * 64, code=code)):
        refused(manifested(packed, tmp_path / "x.tar.gz", edit), tmp_path, "check out the commit.*abcdef012345")


# What is said of what was rebuilt


def about(folder, **more):
    files = {"tables/t.csv": "1", "figures/f.png": "2"}
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    digests = {name: hashlib.sha256(content.encode()).hexdigest() for name, content in files.items()}
    found = {"study": "tiny", "rebuilt": digests, "python": "3.1", "packages": {"numpy": "0.1"}, "repository": {}}
    return found | {"redacted": True, "code": {}} | more


def test_what_is_byte_for_byte_the_same_is_counted(tmp_path):
    lines, differing = rebuild.compare(tmp_path, about(tmp_path))
    assert differing == [] and lines[-1].startswith("2 of 2 files are byte for byte")


def test_what_differs_is_named_with_what_may_be_behind_it(tmp_path):
    found = about(tmp_path, repository={"config/claims.yaml": "0" * 64, "gone.tsv": "0" * 64})
    (tmp_path / "figures/f.png").write_text("3")
    lines, differing = rebuild.compare(tmp_path, found)
    said = "\n".join(lines)
    assert differing == ["figures/f.png"] and "1 of 2 files" in said
    for part in ("Others: figures/f.png", "Python 3.1 there", "numpy 0.1 there", "claims.yaml is another", "gone.tsv"):
        assert part in said


def test_a_config_of_another_study_is_refused(tmp_path):
    (tmp_path / "tiny/bundle").mkdir(parents=True)
    (tmp_path / "tiny" / bundle.CONFIG).write_text('{"study": "other"}')
    with pytest.raises(UserError, match="no config of the study 'tiny'"):
        rebuild.check_config(tmp_path / "tiny", "x.tar.gz")
