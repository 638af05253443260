"""How large a SavedModel is, for whoever asks one of its signatures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

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
        nodes = {each.name: each for each in graph.node}
        functions = {each.signature.name: each for each in graph.library.function}
        outputs = [each.name for one in signatures for each in one.outputs.values()]
        behind = _reached(nodes, outputs, lambda node: node.input)
        named = _functions_of(nodes[name] for name in behind)
        called = _reached(functions, named, lambda function: _functions_of(function.node_def))
        return cls(behind, called)


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
    """Bytes of what in a MetaGraphDef other signatures alone need."""
    definitions, graph = meta_graph.signature_def, meta_graph.graph_def
    own = [name for name in definitions if name == signature or name.startswith(_SET_UP)]
    others = [definitions[name] for name in definitions if name not in own]
    needed = _Needed.by(graph, [definitions[name] for name in own])
    by_others = _Needed.by(graph, others)
    nodes, functions = by_others.nodes - needed.nodes, by_others.functions - needed.functions
    dropped, kept = list[Any](), list[Any]()
    for node in graph.node:
        (dropped if node.name in nodes else kept).append(node)
    for function in graph.library.function:
        (dropped if function.signature.name in functions else kept).append(function)
    only = _operations(dropped) - _operations(kept)
    dropped += [each for each in meta_graph.meta_info_def.stripped_op_list.op if each.name in only]
    described = _descriptions(meta_graph.object_graph_def, functions)
    return sum(each.ByteSize() for each in (*others, *dropped, *described))


def _descriptions(objects: Any, functions: frozenset[str]) -> Iterator[Any]:
    """What stands about functions in a SavedObjectGraph, for whoever loads it with Python."""
    for name, function in objects.concrete_functions.items():
        if name in functions:
            yield function
    for node in objects.nodes:
        named = {node.bare_concrete_function.concrete_function_name}
        named.update(node.function.concrete_functions)
        if not named.isdisjoint(functions):
            yield node


def _reached(
    known: Mapping[str, Any], first: Iterable[str], further: Callable[[Any], Iterable[str]]
) -> frozenset[str]:
    """Names of nodes or functions, of those that they need, and so on.

    Args:
        first: a node may be named by one of its outputs.
        further: what one of them needs.
    """
    reached: set[str] = set()
    waiting = list(first)
    while waiting:
        name = waiting.pop().removeprefix("^").partition(":")[0]
        if name in known and name not in reached:
            reached.add(name)
            waiting += further(known[name])
    return frozenset(reached)


def _functions_of(nodes: Iterable[Any]) -> Iterator[str]:
    """Names of the functions that nodes call."""
    for node in nodes:
        for value in node.attr.values():
            for function in (value.func, *value.list.func):
                yield function.name


def _operations(of: Iterable[Any]) -> set[str]:
    """Of these nodes, and of the nodes of these functions."""
    return {node.op for each in of for node in getattr(each, "node_def", [each])}
