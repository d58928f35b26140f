"""Distances between languages: the bundled table, the family tree and the globe."""

import numpy as np
import pytest

from refuseu.analysis import linguistic_distance
from support.helpers import CODES, ROOT

ROWS = linguistic_distance.read(ROOT / "resources/linguistic_distance.tsv")


def test_every_language_of_the_paper_has_a_row_with_its_source():
    assert set(ROWS) == set(CODES)
    for row in ROWS.values():
        assert row["classification"].startswith("indo1319/clas1257/")
        assert -90 < float(row["latitude"]) < 90 and -180 < float(row["longitude"]) < 180
        assert "Glottolog 5.0" in row["source"]


def test_genetic_distance_counts_shared_branches():
    matrix = linguistic_distance.genetic(["a/b/c", "a/b/d/e", "x/y"])
    # two branches of three and of four are shared: 1 - 2 / sqrt(12)
    assert matrix[0] == pytest.approx([0, 1 - 2 / np.sqrt(12), 1])
    assert (matrix == matrix.T).all()


def test_geographic_distance_is_that_of_the_spherical_law_of_cosines():
    latitudes, longitudes = np.radians([[48.86, 52.23, -33.9]]), np.radians([[2.35, 21.01, 151.2]])
    cosine = np.sin(latitudes.T) * np.sin(latitudes)
    cosine += np.cos(latitudes.T) * np.cos(latitudes) * np.cos(longitudes.T - longitudes)
    found = linguistic_distance.geographic([48.86, 52.23, -33.9], [2.35, 21.01, 151.2])
    off = ~np.eye(3, dtype=bool)
    assert found[off] == pytest.approx(6371.0088 * np.arccos(cosine[off]))
    assert found[0, 1] == pytest.approx(1365, abs=10)  # Paris and Warsaw
    assert (np.diag(found) == 0).all()


def nearest(kind, code):
    matrix = linguistic_distance.matrix(kind, [ROWS[other] for other in CODES])
    row = matrix[CODES.index(code)]
    return {CODES[place] for place in np.flatnonzero(np.isclose(row, np.sort(row)[1]))}


@pytest.mark.parametrize(("code", "relatives"), [("cs", {"sk"}), ("lt", {"lv"}), ("es", {"pt"}), ("en", {"de"})])
def test_the_nearest_relative(code, relatives):
    assert nearest("genetic", code) == relatives


@pytest.mark.parametrize(("code", "neighbour"), [("lt", "lv"), ("es", "pt"), ("en", "fr"), ("sl", "de")])
def test_the_nearest_neighbour_may_be_no_relative(code, neighbour):
    assert nearest("geographic", code) == {neighbour}
