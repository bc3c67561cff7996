"""A model.pt2 can hold nothing but a network: whatever else it holds is refused before torch opens it."""

from __future__ import annotations

import functools
import io
import json
import pickle
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import Tensor, nn

from headstart.errors import ArchitectureError, InputError
from headstart.runs.inspection import inspected
from headstart.runs.program import export_program, run_program
from headstart.runs.program_inputs import image_inputs, text_inputs

MODEL = "archive/models/model.json"
SAMPLES = "archive/data/sample_inputs/model.pt"
WEIGHTS = "archive/data/weights/model_weights_config.json"
CONSTANTS = "archive/data/constants/model_constants_config.json"


class Small(nn.Module):
    """Enough operations for every kind of text in a program: weights, a constant, sizes, a part without gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(20, 4)
        self.register_buffer("shift", torch.ones(4))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        with torch.no_grad():
            hidden = self.table(input_ids) + self.shift
        padded = torch.cat([hidden, hidden], dim=1)
        return (padded.mean(1) * attention_mask.float().mean()).softmax(-1) + torch.tensor([0.0])


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("program") / "model.pt2"
    export_program(Small().eval(), text_inputs(40, 0, 20), path)
    return path


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    """A file that hostile code would write."""
    return tmp_path / "it_ran"


def rewritten(program: Path, target: Path, changes: dict[str, bytes | None], twice: bool = False) -> Path:
    """A copy of an archive with members added, replaced, taken out (None), or put in twice."""
    with zipfile.ZipFile(program) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if name not in changes or twice:
                new.writestr(name, old.read(name))
        for name, content in changes.items():
            if content is not None:
                new.writestr(name, content)
    return target


def with_model(program: Path, target: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """A copy of an archive with an edited graph."""
    with zipfile.ZipFile(program) as archive:
        content = json.loads(archive.read(MODEL))
    change(content)
    return rewritten(program, target, {MODEL: json.dumps(content).encode()})


class Call:
    """Writes the marker when its pickle is opened."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.marker,)


def hostile(marker: Path) -> bytes:
    content = io.BytesIO()
    torch.save((Call(marker), {}), content)
    return content.getvalue()


def test_a_program_holds_no_pickle_and_no_path_of_this_machine(program: Path) -> None:
    assert inspected(program) == program
    with zipfile.ZipFile(program) as archive:
        assert archive.read(SAMPLES) == b""
        assert not any(pickle.PROTO + b"\x02" in archive.read(name)[:99] for name in archive.namelist())
        assert str(Path(__file__).parent).encode() not in archive.read(MODEL)
    ids = torch.arange(1, 13).reshape(2, 6)
    assert run_program(program)(ids, torch.ones_like(ids)).shape == (2, 4)


def test_the_pickle_of_an_older_version_is_left_out(program: Path, tmp_path: Path, marker: Path) -> None:
    old = rewritten(program, tmp_path / "model.pt2", {SAMPLES: hostile(marker)})
    ids = torch.arange(1, 13).reshape(2, 6)
    expected = run_program(program)(ids, torch.ones_like(ids))
    assert torch.equal(run_program(old)(ids, torch.ones_like(ids)), expected)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ("data/weights/model.pt", "holds the file 'data/weights/model.pt'"),
        ("data/constants/model.pt", "holds the file"),
        ("data/constants/custom_obj_0", "holds the file"),
        ("data/constants/opaque_obj_0", "holds the file"),
        ("data/aotinductor/model/model.so", "holds the file"),
        ("models/other.json", "holds the file"),
        ("extra/notes.txt", "holds the file"),
        (MODEL.partition("/")[2], "holds a file twice|ambiguous|cannot be read"),
    ],
)
def test_other_files_are_refused(
    program: Path, tmp_path: Path, marker: Path, member: str, message: str
) -> None:
    changes: dict[str, bytes | None] = {f"archive/{member}": hostile(marker)}
    path = rewritten(program, tmp_path / "model.pt2", changes, twice=True)
    with pytest.raises(InputError, match=message):
        run_program(path)
    assert not marker.exists()


@pytest.mark.parametrize("config", [WEIGHTS, CONSTANTS])
@pytest.mark.parametrize("path_name", ["weight_0", "custom_obj_0", "../../x"])
def test_a_pickled_tensor_is_refused(
    program: Path, tmp_path: Path, marker: Path, config: str, path_name: str
) -> None:
    with zipfile.ZipFile(program) as archive:
        content = json.loads(archive.read(config))
    entry = {
        "path_name": path_name,
        "is_param": True,
        "use_pickle": path_name == "weight_0",
        "tensor_meta": None,
    }
    content["config"]["table.weight"] = entry
    changes: dict[str, bytes | None] = {config: json.dumps(content).encode()}
    changes["archive/data/weights/weight_0"] = hostile(marker)
    with pytest.raises(InputError, match="not a plain tensor"):
        run_program(rewritten(program, tmp_path / "model.pt2", changes))
    assert not marker.exists()


@pytest.mark.parametrize(
    "target",
    [
        "torch.os.system",
        "torch.load",
        "torch.hub.load",
        "torch.ops.aten.from_file.default",
        "torch.ops.aten.save.default",
        "torch.ops.aten.save",
        "torch.ops.torchvision._cuda_version.default",
        "torch.ops.torchvision.from_file.default",
        "torch.ops.image.read_file.default",
        "torch.ops.image.write_file.default",
        "torch.ops.image.decode_image.default",
        "torch.ops.quantized.add.default",
        "torch.ops.load_library",
        "torch.ops.higher_order.triton_kernel_wrapper_functional",
        "_operator.methodcaller",
        "math.__loader__.load_module",
        "#extension:x",
    ],
)
def test_other_functions_are_refused(program: Path, tmp_path: Path, target: str) -> None:
    def change(content: dict[str, Any]) -> None:
        content["graph_module"]["graph"]["nodes"][0]["target"] = target

    with pytest.raises(InputError, match="it calls"):
        run_program(with_model(program, tmp_path / "model.pt2", change))


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('true')",
        "open('it_ran')",
        "().__class__.__bases__",
        "L['x'].__class__",
        "[x for x in (1, 2)]",
        "(lambda: 1)()",
        "Symbol('s1; import os')",
        "f'{1}'",
        "s1 if s2 else exit()",
        "max(1, 2)",
    ],
)
def test_other_expressions_are_refused(program: Path, tmp_path: Path, expression: str) -> None:
    def of_a_size(content: dict[str, Any]) -> None:
        values = content["graph_module"]["graph"]["tensor_values"]["input_ids"]
        values["sizes"][0] = {"as_expr": {"expr_str": expression, "hint": None}}

    def guard(content: dict[str, Any]) -> None:
        content["guards_code"] = [expression]

    for change in (of_a_size, guard):
        with pytest.raises(InputError, match="not an expression of sizes"):
            run_program(with_model(program, tmp_path / "model.pt2", change))


def test_names_that_would_be_code_are_refused(program: Path, tmp_path: Path) -> None:
    code = "x=__import__('os').system('true')"

    def argument(content: dict[str, Any]) -> None:
        content["graph_module"]["module_call_graph"][0]["signature"]["forward_arg_names"] = [code]

    def placeholder(content: dict[str, Any]) -> None:
        content["graph_module"]["graph"]["inputs"][0]["as_tensor"]["name"] = code

    def module(content: dict[str, Any]) -> None:
        content["graph_module"]["module_call_graph"][1]["fqn"] = f'a", {code}, "'

    def key(content: dict[str, Any]) -> None:
        content["graph_module"]["graph"]["tensor_values"][code] = {}

    def metadata(content: dict[str, Any]) -> None:
        content["graph_module"]["graph"]["nodes"][0]["metadata"]["source_fn_stack"] = "a,torch.os.system"

    for change in (argument, placeholder, module, key, metadata):
        with pytest.raises(InputError, match=r"not a name|not the path of a module"):
            run_program(with_model(program, tmp_path / "model.pt2", change))

    def tree(content: dict[str, Any]) -> None:
        spec = '[1, {"type": "collections.namedtuple", "context": "x", "children_spec": []}]'
        content["graph_module"]["module_call_graph"][0]["signature"]["in_spec"] = spec

    with pytest.raises(InputError, match="its inputs have the type"):
        run_program(with_model(program, tmp_path / "model.pt2", tree))


def test_no_flipped_bit_changes_what_it_gives(program: Path, tmp_path: Path) -> None:
    """Without the digests of its run, as in runs of older versions; the checksums of the archive tell."""
    ids = torch.arange(1, 13).reshape(2, 6)
    expected = run_program(program)(ids, torch.ones_like(ids))
    content, path, random_ = program.read_bytes(), tmp_path / "model.pt2", random.Random(0)
    for _ in range(60):
        changed = bytearray(content)
        changed[random_.randrange(len(content))] ^= 1 << random_.randrange(8)
        path.write_bytes(changed)
        try:
            opened = inspected(path)
        except Exception:  # what the boundary around it turns into one error
            continue
        assert torch.equal(torch.export.load(opened).module()(ids, torch.ones_like(ids)), expected)


def test_images_and_every_length_pass(tmp_path: Path) -> None:
    class Pictures(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            return pixels.mean((2, 3)).softmax(-1)

    export_program(Pictures().eval(), image_inputs(8, 8), tmp_path / "model.pt2")
    assert inspected(tmp_path / "model.pt2") == tmp_path / "model.pt2"


class Deformable(nn.Module):
    """An operation of torchvision, modules and a buffer with odd names."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 3, 3, 3))
        self.add_module("a(b)", nn.Linear(4, 4))
        self.register_buffer("c[d] {e}=;,", torch.ones(4))

    def forward(self, pixels: Tensor) -> Tensor:
        offset = pixels.new_zeros(pixels.shape[0], 18, pixels.shape[2] - 2, pixels.shape[3] - 2)
        maps = torchvision.ops.deform_conv2d(pixels, offset, self.weight)
        return (getattr(self, "a(b)")(maps.mean((2, 3))) + getattr(self, "c[d] {e}=;,")).softmax(-1)


def test_operations_of_torchvision_and_odd_names_pass(tmp_path: Path) -> None:
    torch.manual_seed(0)
    export_program(Deformable().eval(), image_inputs(8, 8), tmp_path / "model.pt2")
    assert run_program(tmp_path / "model.pt2")(torch.ones(2, 3, 8, 8)).shape == (2, 4)


@torch.library.custom_op("headstart_tests::copy", mutates_args=())
def copy_of(values: Tensor) -> Tensor:
    return values.clone()


@copy_of.register_fake
def _(values: Tensor) -> Tensor:
    return torch.empty_like(values)


def test_a_network_with_an_operation_of_its_own_is_named(tmp_path: Path) -> None:
    class Own(nn.Module):
        def forward(self, pixels: Tensor) -> Tensor:
            return copy_of(pixels).mean((2, 3)).softmax(-1)

    message = r"^net cannot be written to model\.pt2: it calls 'torch\.ops\.headstart_tests\.copy\.default'$"
    with pytest.raises(ArchitectureError, match=message):
        export_program(Own().eval(), image_inputs(8, 8), tmp_path / "model.pt2", name="net")
    assert not list(tmp_path.iterdir())


def test_a_file_that_only_another_torch_writes_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = functools.partial(torch.export.save, extra_files={"notes.txt": "of another version"})
    monkeypatch.setattr(torch.export, "save", written)
    export_program(Small().eval(), text_inputs(40, 0, 20), tmp_path / "model.pt2")
    with zipfile.ZipFile(tmp_path / "model.pt2") as archive:
        assert not [name for name in archive.namelist() if "notes" in name]


@pytest.mark.parametrize("content", [b"", b"PK", b"\x80\x02}q\x00.", b"x" * 3000])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.pt2").write_bytes(content)
    with pytest.raises(InputError, match=r"model.pt2 cannot be read as a program .*make the run again"):
        run_program(tmp_path / "model.pt2")
