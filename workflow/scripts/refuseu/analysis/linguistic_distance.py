"""How far languages are from each other: in the family tree and on the globe."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

EARTH_RADIUS_KM = 6371.0088  # mean radius of WGS 84


def read(path: str | Path) -> dict[str, dict[str, str]]:
    """Code → its row of ``resources/linguistic_distance.tsv``."""
    with open(path, encoding="utf-8", newline="") as rows:
        return {row["code"]: row for row in csv.DictReader(rows, delimiter="\t")}


def genetic(classifications: Sequence[str]) -> np.ndarray:
    """Cosine distance between the sets of branches that languages belong to, shape (n, n).

    As many branches as two languages share, over the root of the product of how many each has: 0 for a language
    and itself, 1 for two families.

    Parameters
    ----------
    classifications : branches from the family down to the language, joined by ``/``
    """
    branches = [path.split("/") for path in classifications]
    shared = np.array([[len(set(a) & set(b)) for b in branches] for a in branches], float)
    return np.asarray(1 - shared / np.sqrt(np.outer(np.diag(shared), np.diag(shared))))


def geographic(latitudes: Sequence[float], longitudes: Sequence[float]) -> np.ndarray:
    """Great-circle distances in km by the haversine formula, shape (n, n); degrees in."""
    phi, lam = np.radians(latitudes), np.radians(longitudes)
    half = np.sin((phi[:, None] - phi) / 2) ** 2
    half += np.cos(phi[:, None]) * np.cos(phi) * np.sin((lam[:, None] - lam) / 2) ** 2
    return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(half)))


def matrix(kind: str, rows: Sequence[Mapping[str, str]]) -> np.ndarray:
    """Distances of the languages in `rows`, ``genetic`` or ``geographic``."""
    if kind == "genetic":
        return genetic([row["classification"] for row in rows])
    return geographic(*([float(row[axis]) for row in rows] for axis in ("latitude", "longitude")))
