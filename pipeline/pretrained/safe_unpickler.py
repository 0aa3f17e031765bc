"""Reads a pickle as data: nothing in it is imported or called, so nothing in it can run.

A pickle is a small program for a stack machine. `torch.save` uses about forty instructions, and
the only dangerous ones are those that import a name and call it. Here a name stays a name; what
the closed list below does not know is refused.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any

from pipeline.errors import PipelineError

MAX_PICKLE_BYTES = 1 << 26  # structure without tensors; the largest published file has 0.4 MB


@dataclass(frozen=True)
class Name:
    """A class or function that a pickle names."""

    path: str


@dataclass
class StandIn:
    """An object that a pickle describes: its class by name and its attributes, without code."""

    path: str
    state: dict[str, Any] = field(default_factory=dict)


_MARK = object()
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "MARK": lambda: _MARK,
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": list,
}
_LITERALS = frozenset(
    {
        *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"),
        *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINSTRING", "SHORT_BINSTRING"),
        *("BINBYTES", "SHORT_BINBYTES"),
    }
)
_TUPLE_SIZES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class SafeUnpickler:
    """Interprets one pickle.

    Args:
        calls: What stands for each function a pickle may call, by its path.
        classes: Paths of classes that become a `StandIn`.
        persistent: Turns a persistent id, which is how torch points at a storage, into a value.
    """

    def __init__(
        self,
        calls: dict[str, Callable[..., Any]],
        classes: frozenset[str],
        persistent: Callable[[Any], Any],
    ) -> None:
        self._calls = calls
        self._classes = classes
        self._persistent = persistent
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def load(self, file: IO[bytes], source: str) -> Any:
        """Return the value of the pickle at the file's position, and leave the file behind it.

        Raises:
            PipelineError: The pickle is damaged, or asks for a name or an instruction that
                checkpoints have no use for.
        """
        self._stack, self._memo = [], {}
        bounded = _BoundedReader(file, MAX_PICKLE_BYTES)
        try:
            for instruction, argument, _ in pickletools.genops(bounded):  # type: ignore[arg-type]
                if instruction.name == "STOP":
                    return self._stack.pop()
                self._step(instruction.name, argument)
        except PipelineError as error:
            raise PipelineError(f"{source} {error}") from None
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise PipelineError(f"{source} is damaged: {error}; get it anew") from error
        raise PipelineError(f"{source} is cut short; get it anew")

    def _step(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name in _CONSTANTS:
            stack.append(_CONSTANTS[name]())
        elif name in _LITERALS:
            stack.append(argument)
        elif name in _TUPLE_SIZES:
            size = _TUPLE_SIZES[name]
            stack[-size:] = [tuple(stack[-size:])]
        elif name == "TUPLE":
            stack.append(tuple(self._pop_to_mark()))
        elif name in ("BINPUT", "LONG_BINPUT"):
            self._memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif name in ("APPEND", "APPENDS", "ADDITEMS", "SETITEM", "SETITEMS"):
            self._fill_container(name)
        elif name == "BINPERSID":
            stack.append(self._persistent(stack.pop()))
        elif name not in ("PROTO", "FRAME"):
            self._make_object(name, argument)

    def _make_object(self, name: str, argument: Any) -> None:
        stack = self._stack
        if name == "GLOBAL":
            stack.append(self._named(*argument.split(" ", 1)))
        elif name == "STACK_GLOBAL":
            attribute, module = stack.pop(), stack.pop()
            stack.append(self._named(module, attribute))
        elif name in ("REDUCE", "NEWOBJ"):
            arguments, target = stack.pop(), stack.pop()
            stack.append(self._made(target, arguments))
        elif name == "BUILD":
            state, target = stack.pop(), stack[-1]
            # An ordered dict of weights has attributes of its own, which hold no weights.
            if isinstance(target, StandIn) and isinstance(state, dict):
                target.state.update(state)
            elif not isinstance(target, dict):
                raise ValueError(f"a state for {type(target).__name__}")
        else:
            raise PipelineError(
                f"holds the pickle instruction {name}, which no checkpoint needs; it is refused"
            )

    def _fill_container(self, name: str) -> None:
        items = [self._stack.pop()] if name == "APPEND" else []
        if name == "SETITEM":
            items = [self._stack.pop(), self._stack.pop()][::-1]
        if name in ("APPENDS", "ADDITEMS", "SETITEMS"):
            items = self._pop_to_mark()
        container = self._stack[-1]
        if name in ("SETITEM", "SETITEMS"):
            if not all(isinstance(key, str | int) for key in items[::2]):
                raise ValueError("a key that is neither text nor number")
            container.update(zip(items[::2], items[1::2], strict=True))
        else:
            container.extend(items)

    def _pop_to_mark(self) -> list[Any]:
        start = len(self._stack) - self._stack[::-1].index(_MARK)
        items = self._stack[start:]
        del self._stack[start - 1 :]
        return items

    def _named(self, module: str, attribute: str) -> Name:
        path = f"{module}.{attribute}"
        if path not in self._calls and path not in self._classes:
            raise PipelineError(
                f"asks for {path}, which no checkpoint of these models needs; it is refused "
                "and nothing in it was run"
            )
        return Name(path)

    def _made(self, target: Any, arguments: Any) -> Any:
        if target.path in self._classes:
            return StandIn(target.path)
        return self._calls[target.path](*arguments)


class _BoundedReader:
    """A file that ends after so many bytes, so that a lying length cannot take all memory."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self._file = file
        self._left = limit

    def read(self, size: int) -> bytes:
        return self._taken(self._file.read(min(size, self._left + 1)))

    def readline(self) -> bytes:
        return self._taken(self._file.readline(self._left + 1))

    def tell(self) -> int:
        return self._file.tell()

    def _taken(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise ValueError(f"its structure takes more than {MAX_PICKLE_BYTES} bytes")
        return data
