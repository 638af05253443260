"""Who may import whom: the contract imports nobody, and the parts meet only there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = {
    path.parent.name: path.parent
    for path in sorted(ROOT.glob("*/trainyard_*/__init__.py"))
    if ".venv" not in path.parts
}


def imported(folder: Path) -> set[str]:
    names: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("part", PARTS)
def test_parts_meet_only_in_the_contract(part: str) -> None:
    allowed = {part} if part == "trainyard_api" else {part, "trainyard_api"}
    assert {name for name in imported(PARTS[part]) if name.startswith("trainyard")} <= allowed


def test_the_serving_part_needs_no_tensorflow() -> None:
    heavy = {"tensorflow", "keras", "sklearn"}
    assert not heavy & imported(PARTS["trainyard_serving"])


def test_all_parts_are_there() -> None:
    wanted = {"api", "operator", "trainer", "serving", "cli", "local"}
    assert {f"trainyard_{name}" for name in wanted} <= PARTS.keys()
