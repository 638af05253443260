"""YAML as Kubernetes reads it: a key that stands twice is a mistake, not a choice."""

from __future__ import annotations

from typing import Any

import yaml


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
