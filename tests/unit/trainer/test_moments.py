from __future__ import annotations

import numpy as np
import pytest

from trainyard_trainer.data.moments import moments_of


@pytest.mark.parametrize("shape", [(50, 4), (50, 6, 5, 3)])
def test_bytes_have_the_moments_of_the_same_numbers(shape: tuple[int, ...]) -> None:
    rows = np.random.default_rng(0).integers(3, 200, shape, np.uint8)
    found = moments_of(lambda: iter(np.array_split(rows, 7)))
    wanted = moments_of(lambda: iter(np.array_split(rows.astype(np.float64), 7)))

    for name in ("mean", "spread", "lowest", "highest"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), rtol=1e-12)


def test_a_wide_row_of_bytes_is_counted_too() -> None:
    rows = np.tile(np.arange(200, dtype=np.uint8), (3, 1))
    found = moments_of(lambda: iter([rows]))
    assert found.mean.tolist() == found.lowest.tolist() == found.highest.tolist()
    assert found.spread.tolist() == [0.0] * 200
