"""How large a SavedModel is, for whoever asks one of its signatures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

_GRAPH: Final = "saved_model.pb"
_SET_UP: Final = "__saved_model_"
"""Begins the names of what stands among the signatures and belongs to all of them."""


@dataclass(frozen=True)
class _Needed:
    """Names of the nodes and of the functions that signatures need."""

    nodes: frozenset[str]
    functions: frozenset[str]

    @classmethod
    def by(cls, graph: Any, signatures: Sequence[Any]) -> _Needed:
        """Themselves, or by a function that they call."""
        outputs = [each.name for one in signatures for each in one.outputs.values()]
        names = [name.partition(":")[0] for name in outputs]
        nodes = tf.compat.v1.graph_util.extract_sub_graph(graph, names).node
        functions = {each.signature.name: each for each in graph.library.function}
        called: set[str] = set()
        waiting = list(_named(nodes))
        while waiting:
            name = waiting.pop()
            if name in functions and name not in called:
                called.add(name)
                waiting += _named(functions[name].node_def)
        return cls(frozenset(node.name for node in nodes), frozenset(called))


def bytes_for(folder: Path, signature: str) -> int:
    """Bytes of a SavedModel's files, without what of its graph other signatures alone need.

    The raw signature brings vocabularies and tables that compression neither takes nor makes
    smaller: counted in, they would pass for a gain.

    Args:
        folder: of a SavedModel.
        signature: that it has.
    """
    files = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    path = folder / _GRAPH
    if not path.exists():
        return files
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    return files - sum(_for_others(graph, signature) for graph in saved.meta_graphs)


def _for_others(meta_graph: Any, signature: str) -> int:
    """Bytes of the nodes, functions and operations that other signatures alone need."""
    definitions, graph = meta_graph.signature_def, meta_graph.graph_def
    own = [name for name in definitions if name == signature or name.startswith(_SET_UP)]
    needed = _Needed.by(graph, [definitions[name] for name in own])
    others = _Needed.by(graph, [definitions[name] for name in definitions if name not in own])
    nodes, functions = others.nodes - needed.nodes, others.functions - needed.functions
    dropped, kept = list[Any](), list[Any]()
    for node in graph.node:
        (dropped if node.name in nodes else kept).append(node)
    for function in graph.library.function:
        (dropped if function.signature.name in functions else kept).append(function)
    only = _operations(dropped) - _operations(kept)
    dropped += [each for each in meta_graph.meta_info_def.stripped_op_list.op if each.name in only]
    return sum(each.ByteSize() for each in dropped)


def _named(nodes: Iterable[Any]) -> Iterator[str]:
    """The functions that these nodes name."""
    for node in nodes:
        for value in node.attr.values():
            for function in (value.func, *value.list.func):
                yield function.name


def _operations(of: Iterable[Any]) -> set[str]:
    """Of these nodes, and of the nodes of these functions."""
    return {node.op for each in of for node in getattr(each, "node_def", [each])}
