"""YAML as Kubernetes reads it: a key that stands twice is a mistake, not a choice, and 1e-3 is a
number."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

_FLOAT_TAG: Final = "tag:yaml.org,2002:float"
_EXPONENT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$")
"""Numbers that PyYAML takes for text, for want of a point or of the exponent's sign."""
_WHOLE: Final = 2.0**53
"""Below this, every whole number is one."""
_TRUTHS: Final = re.compile(r"[yYnN]$")
"""Texts that PyYAML writes as they are, and that kubectl reads as true and false."""


class NotYaml(ValueError):
    """The text cannot be read; the message says where."""


class _Loader(yaml.SafeLoader):
    """PyYAML would take the last of two equal keys and say nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        # Before merge keys (<<) are resolved: what overrides a merged key stands twice after that.
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                line = key.start_mark.line + 1
                raise NotYaml(f"{key.value} stands twice, again in line {line}; keep one")
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return super().construct_mapping(node, deep=deep)

    def construct_number(self, node: yaml.ScalarNode) -> float | int:
        """A number as JSON has it, where 5.0 and 5 are the same: kubectl sends JSON."""
        number = float(self.construct_yaml_float(node))
        return int(number) if number.is_integer() and abs(number) < _WHOLE else number


_Loader.add_implicit_resolver(_FLOAT_TAG, _EXPONENT, list("-+.0123456789"))
_Loader.add_constructor(_FLOAT_TAG, _Loader.construct_number)


class _Dumper(yaml.SafeDumper):
    """Texts that a reader takes for something else are quoted, and nothing stands for another."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


_Dumper.add_implicit_resolver(_FLOAT_TAG, _EXPONENT, list("-+.0123456789"))
_Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", _TRUTHS, list("yYnN"))


def write_document(document: dict[str, Any]) -> str:
    """A document as YAML, its fields in their order."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def read_documents(text: str) -> list[object]:
    """The documents of a YAML text that are not empty.

    Raises:
        NotYaml: it is no YAML, or has a key twice in one place.
    """
    try:
        return [d for d in yaml.load_all(text, Loader=_Loader) if d is not None]
    except yaml.YAMLError as error:
        raise NotYaml(f"is not YAML: {error}") from error
    except RecursionError as error:
        raise NotYaml("is nested too deeply to be a TrainingJob") from error
