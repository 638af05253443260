"""Whose credentials are whose, where the data and the store have their own."""

from __future__ import annotations

from collections.abc import Mapping

from trainyard_api import buckets, environment


def variables_of_data(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment as the data's credentials have it.

    Where the data has variables of its own, those of the store are not mixed in: half a key of
    one and half of the other, or the other's session, would be refused.
    """
    own = {
        name.removeprefix(environment.OF_DATA): value
        for name, value in environ.items()
        if name.startswith(environment.OF_DATA)
    }
    if not own:
        return environ
    families = (*buckets.FAMILIES.values(), "STORAGE_EMULATOR_HOST")
    others = {name: value for name, value in environ.items() if not name.startswith(families)}
    return {**others, **own}
