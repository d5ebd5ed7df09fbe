"""ONNX networks of a few bytes whose answer is known from the picture's mean, for tests and runs without weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

SIDE = 224


def write_tiny_network(
    path: Path, gains: Sequence[float], offsets: Sequence[float], shape: Sequence[int | str] = (1, 3, SIDE, SIDE)
) -> Path:
    """A network of one picture whose outputs are gains x the mean of its input + offsets."""
    import onnx
    from onnx import TensorProto, helper

    n = len(gains)
    nodes = [
        helper.make_node("ReduceMean", ["picture"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "gains"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offsets"], ["answer"]),
    ]
    weights = [
        helper.make_tensor("gains", TensorProto.FLOAT, [1, n], gains),
        helper.make_tensor("offsets", TensorProto.FLOAT, [1, n], offsets),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, [1, n])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.save(model, path)
    return path
