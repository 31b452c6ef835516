"""The heart of the library: tools become what the host calls."""

from __future__ import annotations

import json
import typing
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from . import log
from ._host import IN_COMPONENT
from .context import Context
from .data import Mismatch, fit
from .errors import InvalidArguments, failure_of
from .outcome import Ask, Done, HandOver, Outcome, Reply

if IN_COMPONENT and not TYPE_CHECKING:
    from ._host import tools as bridge
else:
    bridge: Any = None

Tool = Callable[[Any, Context], Outcome]


@dataclass(frozen=True)
class NoArguments:
    """The arguments of a tool that takes none."""


class Tools:
    """What the host calls. A skill's module keeps it as `Tools`."""

    tools: ClassVar[dict[str, tuple[Any, Tool]]]

    def call(self, tool: str, arguments: str, context: Any) -> Any:
        """Called by the host, in a component."""
        return bridge.call(self.run, tool, arguments, context)

    def run(self, tool: str, arguments: str, context: Context) -> Outcome:
        """Runs a tool by name with a JSON object of arguments.

        Raises: `Failure`
        """
        try:
            shape, function = self._find(tool)
            outcome = function(_read(arguments, shape), context)
            if not isinstance(outcome, (Reply, Ask, HandOver, Done)):
                raise TypeError("a tool must return a Reply, Ask, HandOver or Done")
            return outcome
        except Exception as error:
            failure = failure_of(error)
            log.warn(failure.message)
            raise failure from error

    def _find(self, tool: str) -> tuple[Any, Tool]:
        if tool in self.tools:
            return self.tools[tool]
        known = ", ".join(self.tools)
        raise InvalidArguments(f'no tool "{tool[:64]}"; this skill has {known}')


def skill(*functions: Tool) -> type[Tools]:
    """Makes a skill of functions, which have the names that the manifest gives to tools.

    Each takes its arguments as a dataclass, and the context, and returns an outcome.
    """

    class Skill(Tools):
        tools = {function.__name__: (_arguments(function), function) for function in functions}

    return Skill


def _arguments(function: Tool) -> Any:
    name = function.__name__
    hints = typing.get_type_hints(function)
    parameters = [hint for parameter, hint in hints.items() if parameter != "return"]
    if len(parameters) != 2 or not is_dataclass(parameters[0]):
        raise TypeError(
            f"the tool {name} must take a dataclass of arguments and a Context, both with type "
            f"hints: def {name}(args: Args, context: Context) -> Outcome"
        )
    return parameters[0]


def _read(arguments: str, shape: Any) -> Any:
    try:
        return fit(json.loads(arguments), shape, exactly=True)
    except Mismatch as mismatch:
        raise InvalidArguments(str(mismatch)) from None
    except ValueError:
        raise InvalidArguments("not valid JSON") from None
