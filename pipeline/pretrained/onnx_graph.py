"""Builds ONNX graphs in the manner of numpy: values with operators, nodes by the operator's name.

Only operators of the standard ONNX set are used, so that every runtime has them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

OPSET = 18  # onnxruntime and onnxruntime-web have it since 1.14, of 2023
IR_VERSION = 8  # the version of the file format that goes with it


class Value:
    """A tensor of a graph; arithmetic on it adds nodes.

    Other operands may be arrays and numbers: floats are float32 unless numpy says float64, whole
    numbers int64.
    """

    def __init__(self, graph: Graph, name: str) -> None:
        self.graph = graph
        self.name = name

    def __add__(self, other: Operand) -> Value:
        return self.graph.op("Add", self, other)

    def __sub__(self, other: Operand) -> Value:
        return self.graph.op("Sub", self, other)

    def __mul__(self, other: Operand) -> Value:
        return self.graph.op("Mul", self, other)

    def __truediv__(self, other: Operand) -> Value:
        return self.graph.op("Div", self, other)

    def __matmul__(self, other: Operand) -> Value:
        return self.graph.op("MatMul", self, other)

    def __gt__(self, other: Operand) -> Value:
        return self.graph.op("Greater", self, other)

    def cut(self, start: int, end: int | Value | None, *, axis: int, step: int = 1) -> Value:
        """Return the slice start:end:step of one axis; an end may be a value [1]."""
        if end is None:
            end = np.iinfo(np.int64).max if step > 0 else np.iinfo(np.int64).min
        ends = end if isinstance(end, Value) else [end]
        return self.graph.op("Slice", self, [start], ends, [axis], [step])

    def reshape(self, *shape: int | Value) -> Value:
        """Return it in another shape, of numbers and values [1]; -1 is what is left."""
        if all(isinstance(size, int) for size in shape):
            return self.graph.op("Reshape", self, np.array(shape, dtype=np.int64))
        sizes = [self.graph.constant([size] if isinstance(size, int) else size) for size in shape]
        return self.graph.op("Reshape", self, self.graph.op("Concat", *sizes, axis=0))

    def scalar(self) -> Value:
        """Return its only element, []."""
        return self.graph.op("Squeeze", self)

    def transpose(self, *axes: int) -> Value:
        """Return it with its axes in another order."""
        return self.graph.op("Transpose", self, perm=axes)

    def size(self, axis: int) -> Value:
        """Return the length of an axis, int64 [1]."""
        return self.graph.op("Shape", self, start=axis, end=axis + 1)

    def cast(self, dtype: type[np.generic]) -> Value:
        """Return it as another type."""
        return self.graph.op("Cast", self, to=_kind(dtype))


Operand = Value | np.ndarray | np.generic | float | Sequence[int]


class Graph:
    """A graph under construction."""

    def __init__(self) -> None:
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._constants: dict[tuple[object, ...], onnx.TensorProto] = {}  # equal ones once
        self._nodes: list[onnx.NodeProto] = []  # of the graph or body that is being built
        self._n_names = 0

    def input(self, name: str, dtype: type[np.generic], shape: Sequence[int | str]) -> Value:
        """Return a new input of the graph; lengths that vary have names."""
        self._inputs.append(helper.make_tensor_value_info(name, _kind(dtype), shape))
        return Value(self, name)

    def constant(self, content: Operand) -> Value:
        """Return an array or a number as a value."""
        if isinstance(content, Value):
            return content
        is_typed = isinstance(content, np.ndarray | np.generic)
        kind = None if is_typed else np.float32 if isinstance(content, float) else np.int64
        array = np.ascontiguousarray(np.asarray(content, dtype=kind)).reshape(np.shape(content))
        key = (array.dtype.str, array.shape, hashlib.sha256(array.tobytes()).digest())
        if key not in self._constants:
            name = self._new_name("constant")
            self._constants[key] = numpy_helper.from_array(array, name)
        return Value(self, self._constants[key].name)

    def op(self, kind: str, *operands: Operand | None, **attributes: Any) -> Value:
        """Return the output of a new node of this operator; None leaves an operand out."""
        return self.ops(kind, 1, *operands, **attributes)[0]

    def ops(
        self, kind: str, n_outputs: int, *operands: Operand | None, **attributes: Any
    ) -> list[Value]:
        """Return the outputs of a new node of this operator."""
        inputs = ["" if one is None else self.constant(one).name for one in operands]
        outputs = [self._new_name(kind) for _ in range(n_outputs)]
        self._nodes.append(helper.make_node(kind, inputs, outputs, **attributes))
        return [Value(self, name) for name in outputs]

    def body(
        self,
        n_inputs: int,
        build: Callable[..., Sequence[Value]],
        scalars: Sequence[type[np.generic]] = (),
    ) -> onnx.GraphProto:
        """Return the graph inside a loop or a branch, which sees all values around it.

        Args:
            n_inputs: How many values it is handed at each turn, whose types follow from outside.
            build: Makes its outputs of the scalars and these values.
            scalars: Types of scalars that it is handed before them.
        """
        outer, self._nodes = self._nodes, []
        inputs = [self._new_name("given") for _ in range(len(scalars) + n_inputs)]
        outputs = build(*(Value(self, name) for name in inputs))
        outputs = [self.op("Identity", value) for value in outputs]  # made inside, whatever it is
        nodes, self._nodes = self._nodes, outer
        types = [helper.make_tensor_type_proto(_kind(dtype), []) for dtype in scalars]
        types += [onnx.TypeProto()] * n_inputs
        return helper.make_graph(
            nodes,
            self._new_name("body"),
            [helper.make_value_info(*each) for each in zip(inputs, types, strict=True)],
            [helper.make_value_info(value.name, onnx.TypeProto()) for value in outputs],
        )

    def loop(
        self,
        n_steps: Value,
        state: Sequence[Value],
        step: Callable[..., tuple[Value, Sequence[Value], Sequence[Value]]],
        n_yielded: int,
    ) -> tuple[list[Value], list[Value]]:
        """Repeat a step; return the last state, and what the steps yield, stacked.

        Args:
            n_steps: How often at most.
            state: Before the first step.
            step: Makes of the step's number and the state: whether to go on, the next state, and
                what it yields.
            n_yielded: How many values that is.
        """

        def build(number: Value, _: Value, *state: Value) -> list[Value]:
            goes_on, following, yielded = step(number, *state)
            return [goes_on, *following, *yielded]

        body = self.body(len(state), build, scalars=(np.int64, np.bool_))
        outputs = self.ops("Loop", len(state) + n_yielded, n_steps, None, *state, body=body)
        return outputs[: len(state)], outputs[len(state) :]

    def where(self, condition: Value, build: Callable[[], Value], otherwise: Value) -> Value:
        """Return what `build` makes where a scalar condition holds, computed only then."""
        branches = {
            "then_branch": self.body(0, lambda: [build()]),
            "else_branch": self.body(0, lambda: [otherwise]),
        }
        return self.op("If", condition, **branches)

    def scan(
        self,
        state: Value,
        inputs: Sequence[Value],
        step: Callable[..., tuple[Value, Value]],
        *,
        backwards: bool = False,
    ) -> tuple[Value, Value]:
        """Return the last state, and what each step yields, stacked, [steps, ...].

        Args:
            state: Before the first step.
            inputs: [steps, ...] each.
            step: Makes of a state and an element of each input the next state and what it yields.
            backwards: Whether the last element comes first; what it yields stays last.
        """
        last, yielded = self.ops(
            "Scan",
            2,
            state,
            *inputs,
            body=self.body(1 + len(inputs), step),
            num_scan_inputs=len(inputs),
            scan_input_directions=[int(backwards)] * len(inputs),
            scan_output_directions=[int(backwards)],
        )
        return last, yielded

    def output(
        self,
        name: str,
        value: Value,
        shape: Sequence[int | str],
        dtype: type[np.generic] = np.float32,
    ) -> None:
        """Make a value an output of the graph."""
        self._nodes.append(helper.make_node("Identity", [value.name], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, _kind(dtype), shape))

    def model(self, description: str) -> onnx.ModelProto:
        """Return the whole graph as a model, checked against the standard."""
        graph = helper.make_graph(
            self._nodes, "graph", self._inputs, self._outputs, list(self._constants.values())
        )
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(
            graph, opset_imports=[opset], ir_version=IR_VERSION, doc_string=description
        )
        onnx.checker.check_model(model)
        return model

    def _new_name(self, kind: str) -> str:
        self._n_names += 1
        return f"{kind}_{self._n_names}"


def _kind(dtype: type[np.generic]) -> int:
    return helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
