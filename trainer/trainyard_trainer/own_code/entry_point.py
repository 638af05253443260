"""`package.module:name`: found, called, and told about where it fails."""

from __future__ import annotations

import importlib
import inspect
import traceback
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final, cast

from trainyard_api.listing import listed
from trainyard_trainer.errors import InvalidSpec, TrainerError
from trainyard_trainer.own_code import fetching
from trainyard_trainer.own_code.limit import within_reason

_LONGEST: Final = 500
_SHOWN: Final = 12
_POSITIONAL: Final = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.KEYWORD_ONLY,
)


def is_entry_point(name: str | None) -> bool:
    """Whether a field that takes names of Keras holds one of the author's own."""
    return name is not None and ":" in name


@dataclass(frozen=True)
class EntryPoint:
    """Something of the author's own.

    Attributes:
        field: of the spec, which names it.
        name: `package.module:name`.
        arguments_field: of the spec, which has its arguments.
    """

    field: str
    name: str
    arguments_field: str

    def load(self) -> Callable[..., Any]:
        """What it names.

        Raises:
            InvalidSpec: there is no such thing, or its module cannot be imported.
        """
        module_name, _, attribute = self.name.partition(":")
        with within_reason(f"{self.field}: importing {module_name}"):
            module = self._imported(module_name)
        found = getattr(module, attribute, None)
        if found is None:
            names = sorted(_names_in(module))
            raise InvalidSpec(
                f"{self.field}: {module_name} ({getattr(module, '__file__', 'built in')}) has no "
                f"{attribute}; it has: {listed(names, _SHOWN)}"
            )
        if not callable(found):
            raise InvalidSpec(
                f"{self.field}: {self.name} is no function, but {type(found).__name__}"
            )
        return cast(Callable[..., Any], found)

    def call(self, given: Mapping[str, Any], offered: Mapping[str, Any] | None = None) -> Any:
        """What it returns.

        Args:
            given: keyword arguments, as the spec has them.
            offered: further ones, passed where it has such arguments.

        Raises:
            InvalidSpec: it does not take them, raises, or does not return.
        """
        function = self.load()
        arguments = self._arguments(function, given, offered or {})
        with within_reason(f"{self.field}: {self.name}"):
            return self.guarded(lambda: function(**arguments))

    def guarded(self, work: Callable[[], Any]) -> Any:
        """What some work gives that runs the author's code.

        Raises:
            InvalidSpec: it raises.
        """
        try:
            return work()
        except (TrainerError, KeyboardInterrupt):
            raise
        except BaseException as error:
            # SystemExit as well: code may end the program that it was written for.
            raise InvalidSpec(f"{self.field}: {self.name} raised {_described(error)}") from error

    def _imported(self, name: str) -> ModuleType:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise InvalidSpec(
                    f"{self.field}: {name} needs {error.name}, which is not installed (at "
                    f"{_place(error)}); build an image with it for spec.workers.image"
                ) from error
            raise InvalidSpec(f"{self.field}: there is no module {name}; {_cure()}") from error
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise InvalidSpec(
                f"{self.field}: importing {name} raised {_described(error)}"
            ) from error
        self._make_sure_it_is_own(name, module)
        return module

    def _make_sure_it_is_own(self, name: str, module: ModuleType) -> None:
        own, file = fetching.folder(), getattr(module, "__file__", None)
        if own is None or (file is not None and Path(file).is_relative_to(own)):
            return
        if name.partition(".")[0] in _modules_in(own):
            raise InvalidSpec(
                f"{self.field}: {name} is already the name of another module ({file}); rename yours"
            )

    def _arguments(
        self, function: Callable[..., Any], given: Mapping[str, Any], offered: Mapping[str, Any]
    ) -> dict[str, Any]:
        try:
            parameters = inspect.signature(function).parameters
        except (TypeError, ValueError):
            return dict(given)
        taken = {p.name: p for p in parameters.values() if p.kind in _POSITIONAL}
        anything = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        if unknown := [name for name in given if name not in taken and not anything]:
            takes = listed([name for name in taken if name not in offered], _SHOWN) or "none"
            raise InvalidSpec(
                f"{self.arguments_field}: {self.name} has no argument {unknown[0]}; it takes: "
                f"{takes}"
            )
        arguments = {name: value for name, value in offered.items() if name in taken} | dict(given)
        for parameter in taken.values():
            if parameter.default is parameter.empty and parameter.name not in arguments:
                raise InvalidSpec(
                    f"{self.arguments_field}: {self.name} needs the argument {parameter.name}; "
                    f"set {self.arguments_field}.{parameter.name}"
                )
        return arguments


def _cure() -> str:
    own = fetching.folder()
    if own is None:
        return "put it into the image of spec.workers.image, or bring it by spec.code"
    return f"spec.code has: {listed(sorted(_modules_in(own)), _SHOWN) or 'none'}"


def _modules_in(own: Path) -> set[str]:
    names = (path.stem if path.suffix == ".py" else path.name for path in own.iterdir())
    return {name for name in names if name.isidentifier() and not name.startswith("__")}


def _names_in(module: ModuleType) -> Iterable[str]:
    """What a module defines itself."""
    for name, value in vars(module).items():
        defined = getattr(value, "__module__", None) == module.__name__
        if callable(value) and defined and not name.startswith("_"):
            yield name


def _described(error: BaseException) -> str:
    said = str(error).strip()[:_LONGEST]
    return f"{type(error).__name__}{': ' if said else ''}{said} (at {_place(error)})"


def _place(error: BaseException) -> str:
    """The last line of the author's code on the way to an error, else the last of all."""
    frames = traceback.extract_tb(error.__traceback__)
    own = fetching.folder()
    inside = [frame for frame in frames if own is not None and str(own) in frame.filename]
    if not frames:
        return "its beginning"
    last = (inside or list(frames))[-1]
    shown = last.filename
    if own is not None and Path(shown).is_relative_to(own):
        shown = str(Path(shown).relative_to(own))
    return f"{shown}:{last.lineno} in {last.name}"
