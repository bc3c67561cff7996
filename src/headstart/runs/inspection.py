"""model.pt2 is inspected before torch opens it, so that it can hold nothing but the operations of a network.

torch's reader trusts the file. It opens the pickles in the archive (sample inputs, some weights and constants), loads
compiled libraries, evaluates the expressions of shapes as Python, writes names into Python code that it runs, and
calls any function below `torch` that a node names. Here everything in the archive must be on a list of what a program
of headstart has: files by name, tensors as plain bytes, registered operations on tensors, words for names, and
expressions of sizes. The archive is read with torch's own reader, so that both see the same files.
"""

from __future__ import annotations

import ast
import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch

SAMPLES = "data/sample_inputs/model.pt"
_MODEL = "models/model.json"
_NUMBER = ".data/serialization_id"
FIXED = ("archive_format", "archive_version", "byteorder", ".data/version", SAMPLES, _MODEL)  # and CONFIGS
CONFIGS = ("data/weights/model_weights_config.json", "data/constants/model_constants_config.json")
_MEMBERS = re.compile(
    rf"archive_format|archive_version|byteorder|version|\.data/version|\.data/serialization_id|{SAMPLES}|{_MODEL}"
    rf"|data/weights/weight_\d+|data/constants/tensor_\d+|{'|'.join(CONFIGS)}"
)
_TENSOR_FILE = re.compile(r"(weight|tensor)_\d+")
_DISPATCHED = re.compile(
    r"torch\.ops\.(?P<library>aten|torchvision)\.(?P<name>\w+)\.(?P<overload>\w+)", re.ASCII
)
_TORCHVISION = ("nms", "roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool", "deform_conv2d")
_OTHER_OPERATIONS = re.compile(
    r"_operator\.(add|sub|mul|truediv|floordiv|mod|pow|neg|pos|eq|ne|lt|le|gt|ge|and_|or_|xor|not_|getitem)"
    r"|math\.(ceil|floor|trunc|sqrt|pow)"
    r"|torch\.sym_(int|float|max|min|not|ite|sum|sqrt)|torch\._sym_sqrt"
    r"|torch\.ops\.higher_order\.(cond|while_loop|scan|map_impl|wrap_with_autocast|wrap_with_set_grad_enabled)"
)
_WORD = re.compile(r"[\w.+@-]*", re.ASCII)
_KEY = re.compile(r"[^\"'\\\x00-\x1f()\[\]{}=;,]*")
# Of a module or a tensor in it. torch writes it into code between quotes: getattr(self, "a(b)").
_PATH = re.compile(r"[^\"'\\\x00-\x1f\x7f-\x9f\u2028\u2029]*")
_TREES = (None, "builtins.tuple", "builtins.list", "builtins.dict")
_NODES = (
    *(ast.Expression, ast.Name, ast.Load, ast.Constant, ast.Call, ast.keyword, ast.Subscript, ast.Attribute),
    *(ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.Compare, ast.BinOp),
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Is, ast.IsNot),
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow),
)
_METHODS = ("size", "stride", "storage_offset", "dim")
_FUNCTIONS = (
    *("Symbol", "Integer", "Float", "Rational", "Add", "Mul", "Pow", "Max", "Min", "Abs", "And", "Or", "Not"),
    *("Equality", "Unequality", "GreaterThan", "StrictGreaterThan", "LessThan", "StrictLessThan"),
    *("Eq", "Ne", "Ge", "Gt", "Le", "Lt", "Piecewise", "floor", "ceiling", "OpaqueUnaryFn_sqrt"),
    *(
        "FloorDiv",
        "ModularIndexing",
        "Where",
        "PythonMod",
        "Mod",
        "CleanDiv",
        "CeilToInt",
        "FloorToInt",
        "CeilDiv",
    ),
    *(
        "LShift",
        "RShift",
        "PowByNatural",
        "FloatPow",
        "FloatTrueDiv",
        "IntTrueDiv",
        "TruncToFloat",
        "TruncToInt",
    ),
    *("RoundToInt", "RoundDecimal", "ToFloat", "Identity", "IsNonOverlappingAndDenseIndicator"),
)


class NotAProgram(Exception):
    """The file holds something that no program of headstart has; the text says what."""


def inspected(path: Path) -> Path | io.BytesIO:
    """Return what torch may open: the file itself, or for a run of an older version a copy without its pickle.

    Args:
        path: a model.pt2.

    Raises:
        NotAProgram: it holds something else than a network.
    """
    reader = torch._C.PyTorchFileReader(str(path))
    names = reader.get_all_records()
    _check_members(path, names)
    for name in CONFIGS:
        _check_payload(json.loads(reader.get_record(name)), name)
    _check(json.loads(reader.get_record(_MODEL)), "")
    if not reader.get_record(SAMPLES):
        return path
    return archive_of({name: b"" if name == SAMPLES else reader.get_record(name) for name in names})


def plain_members(written: io.BytesIO) -> dict[str, bytes]:
    """The files of an archive that torch has just written, without its number and what only another version knows.

    So a file that a later version adds is never part of a run; whether the program needs it shows when it is loaded.

    Args:
        written: by `torch.export.save`.
    """
    reader = torch._C.PyTorchFileReader(io.BytesIO(written.getbuffer()))
    names = [name for name in reader.get_all_records() if _MEMBERS.fullmatch(name) and name != _NUMBER]
    return {name: reader.get_record(name) for name in names}


def archive_of(members: Mapping[str, bytes]) -> io.BytesIO:
    """An archive that torch reads, of the same bytes for the same members.

    Args:
        members: name of a file to its content.
    """
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        for name, content in members.items():
            files.writestr(zipfile.ZipInfo(f"archive/{name}"), content)
    archive.seek(0)
    return archive


def _foreign(names: list[str]) -> list[str]:
    return [name for name in names if not _MEMBERS.fullmatch(name)]


def _check_members(path: Path, names: list[str]) -> None:
    foreign = _foreign(names)
    if foreign or len(set(names)) != len(names):
        raise NotAProgram(f"it holds the file {foreign[0]!r}" if foreign else "it holds a file twice")
    with zipfile.ZipFile(path) as archive:  # torch opens an archive that its reader refuses with this module
        if sorted(name.partition("/")[2] for name in archive.namelist()) != sorted(names):
            raise NotAProgram("its table of files is ambiguous")
        if archive.testzip() is not None:  # torch's reader does not look at the checksums
            raise NotAProgram("a file in it is damaged")


def _check_payload(content: Any, name: str) -> None:
    for tensor in content["config"].values():
        if tensor["use_pickle"] or not _TENSOR_FILE.fullmatch(tensor["path_name"]):
            raise NotAProgram(f"{name} names {tensor['path_name']!r}, which is not a plain tensor")


def _check(value: Any, key: str) -> None:
    """Check every text in a JSON value by the rule of the key that it stands under."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            _check_key(name)
            _check(part, name)
    elif isinstance(value, list):
        for part in value:
            _check(part, key)
    elif isinstance(value, str):
        _RULES.get(key, _check_word)(value)


def _check_name(pattern: re.Pattern[str], what: str, text: str) -> None:
    if not pattern.fullmatch(text):
        raise NotAProgram(f"{text[:80]!r} is not {what}")


_check_word = partial(_check_name, _WORD, "a name")
_check_key = partial(_check_name, _KEY, "a name")
_check_path = partial(_check_name, _PATH, "the path of a module")


def _check_operation(text: str) -> None:
    """Tensor operations that torch itself or torchvision dispatches, except the one that opens a file, from_file."""
    found = _DISPATCHED.fullmatch(text)
    if found:
        name = found["name"] if found["overload"] == "default" else f"{found['name']}.{found['overload']}"
        allowed = (
            found["name"] in _TORCHVISION
            if found["library"] == "torchvision"
            else found["name"] != "from_file"
        )
        if allowed and f"{found['library']}::{name}" in _dispatched(found["library"]):
            return
    if not _OTHER_OPERATIONS.fullmatch(text):
        raise NotAProgram(f"it calls {text[:80]!r}")


def _check_expression(text: str) -> None:
    """Arithmetic of sizes, such as `Mod(Symbol('s1', integer=True), Integer(2))` or `L['x'].size()[0] == 3`."""
    for node in ast.walk(ast.parse(text, mode="eval")):
        function = node.func if isinstance(node, ast.Call) else None
        if (
            not isinstance(node, _NODES)
            or (isinstance(node, ast.Attribute) and node.attr not in _METHODS)
            or (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and not node.value.isidentifier()
            )
            or (isinstance(function, ast.Name) and function.id not in _FUNCTIONS)
            or (function is not None and not isinstance(function, ast.Name | ast.Attribute))
        ):
            raise NotAProgram(f"{text[:80]!r} is not an expression of sizes")


def _check_tree(text: str) -> None:
    """A structure of inputs or outputs, as JSON: tuples, lists and dictionaries of tensors."""
    waiting = [json.loads(text)[1]]
    while waiting:
        tree = waiting.pop()
        if tree["type"] not in _TREES:
            raise NotAProgram(f"its inputs have the type {tree['type']!r}")
        waiting += tree["children_spec"]


def _anything(text: str) -> None:
    """A text that is only shown, or passed to an operation on tensors."""


_RULES: Mapping[str, Callable[[str], None]] = {
    "target": _check_operation,
    "as_operator": _check_operation,
    "expr_str": _check_expression,
    "guards_code": _check_expression,
    "in_spec": _check_tree,
    "out_spec": _check_tree,
    "as_string": _anything,
    "stack_trace": _anything,
    "nn_module_stack": _anything,
    "torch_fn": _anything,
    **dict.fromkeys(("fqn", "parameter_name", "buffer_name", "tensor_constant_name"), _check_path),
}


@cache
def _dispatched(library: str) -> frozenset[str]:
    """The names of all operations in torch's dispatcher; those of TorchScript's own library are not among them.

    Args:
        library: "torchvision" registers its operations when it is imported.
    """
    if library == "torchvision":
        import torchvision  # noqa: F401
    return frozenset(torch._C._dispatch_get_all_op_names())
