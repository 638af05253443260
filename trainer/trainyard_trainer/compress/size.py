"""How large a SavedModel is, for whoever asks one of its signatures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

_GRAPH: Final = "saved_model.pb"


@dataclass(frozen=True)
class _Needed:
    """Names of the nodes and of the functions that signatures need."""

    nodes: frozenset[str]
    functions: frozenset[str]


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
    others = [_needed(graph, each) for name, each in definitions.items() if name != signature]
    if not others or signature not in definitions:
        return 0
    own = _needed(graph, definitions[signature])
    nodes = frozenset().union(*(each.nodes for each in others)) - own.nodes
    functions = frozenset().union(*(each.functions for each in others)) - own.functions
    dropped, kept = list[Any](), list[Any]()
    for node in graph.node:
        (dropped if node.name in nodes else kept).append(node)
    for function in graph.library.function:
        (dropped if function.signature.name in functions else kept).append(function)
    only = _operations(dropped) - _operations(kept)
    dropped += [each for each in meta_graph.meta_info_def.stripped_op_list.op if each.name in only]
    return sum(each.ByteSize() for each in dropped)


def _needed(graph: Any, definition: Any) -> _Needed:
    """What a signature needs: itself, or a function that it calls."""
    outputs = [output.name.partition(":")[0] for output in definition.outputs.values()]
    nodes = tf.compat.v1.graph_util.extract_sub_graph(graph, outputs).node
    functions = {each.signature.name: each for each in graph.library.function}
    called: set[str] = set()
    waiting = list(_named(nodes))
    while waiting:
        name = waiting.pop()
        if name in functions and name not in called:
            called.add(name)
            waiting += _named(functions[name].node_def)
    return _Needed(frozenset(node.name for node in nodes), frozenset(called))


def _named(nodes: Iterable[Any]) -> Iterator[str]:
    """The functions that these nodes name."""
    for node in nodes:
        for value in node.attr.values():
            for function in (value.func, *value.list.func):
                yield function.name


def _operations(of: Iterable[Any]) -> set[str]:
    """Of these nodes, and of the nodes of these functions."""
    return {node.op for each in of for node in getattr(each, "node_def", [each])}
