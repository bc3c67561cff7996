"""Make the bundled source: `python -m headstart.bundled.letters` (seed 0, about three minutes on two cores).

Letters, not digits, are drawn with the fonts that matplotlib ships, warped, fitted into a 32x32 box, reduced
to 8x8 counts of inked pixels in blocks of 4x4: the reduction by which the target of the demo, scikit-learn's
handwritten digits, was made from NIST's forms (Alpaydin and Kaynak, UCI ML repository, 1998). The weights are
written in float16 to headstart/bundled/letters/.
"""

from __future__ import annotations

import json
import string
from pathlib import Path
from typing import Any

import numpy as np
import torch

from headstart.bundled.network import LettersNet, train_classifier
from headstart.progress import say

FOLDER = Path(__file__).parent / "letters"
SEED = 0
N_DRAWN_PER_LETTER = 1200
CONFIG: dict[str, Any] = {
    "library": "custom",
    "architecture": "headstart.bundled.network:LettersNet",
    "modality": "image",
    "widths": [32, 64, 128, 192],
    "upstream": "42 letter shapes in the fonts that matplotlib ships, drawn and warped by headstart (seed 0)",
    "licence": "Apache-2.0",
    "preprocessing": {
        "modality": "image",
        "size": [8, 8],
        "mean": [0.3, 0.3, 0.3],
        "std": [0.38, 0.38, 0.38],
        "interpolation": "bilinear",
        "crop_pct": 1.0,
        "crop_mode": "center",
    },
}
# Capitals that look like the small letter in a small image count as the small letter.
SAME_SHAPE = "COSUVWXZKP"


def draw_letters(n_per_letter: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw warped letters.

    Args:
        n_per_letter: images per letter shape.
        seed: seed of fonts and warps.

    Returns:
        uint8 images of shape (n_items, 8, 8) from 0 to 255, and int64 classes of shape (n_items,).
    """
    letters = "".join(letter for letter in string.ascii_letters if letter not in SAME_SHAPE)
    return draw_characters(letters, n_per_letter, seed)


def draw_characters(characters: str, n_per_character: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw warped characters.

    Args:
        characters: one class each.
        n_per_character: images of each.
        seed: seed of fonts and warps.

    Returns:
        uint8 images of shape (n_items, 8, 8) from 0 to 255, and int64 classes of shape (n_items,).
    """
    from PIL import ImageFont

    fonts = [ImageFont.truetype(str(path), 40) for path in _font_files()]
    random = np.random.default_rng(seed)
    pictures = [
        _draw(character, fonts[random.integers(len(fonts))], random)
        for character in characters
        for _ in range(n_per_character)
    ]
    return np.stack(pictures), np.repeat(np.arange(len(characters)), n_per_character)


def pixels_of(pictures: np.ndarray) -> torch.Tensor:
    """Normalise uint8 images (n_items, 8, 8) as the source does, to float32 (n_items, 3, 8, 8)."""
    grey = (torch.from_numpy(pictures).float() / 255 - 0.3) / 0.38
    return grey[:, None].expand(-1, 3, -1, -1).contiguous()


def main() -> None:
    """Draw, pretrain, write the weights and their configuration."""
    from safetensors.torch import save_file

    say(f"Drawing letters with {len(_font_files())} fonts")
    pictures, classes = draw_letters(N_DRAWN_PER_LETTER, SEED)
    torch.manual_seed(SEED)
    network = LettersNet(CONFIG)
    say(f"Pretraining on {len(pictures):,} pictures of {classes.max() + 1} letter shapes")
    classifier = train_classifier(
        network, 192, pixels_of(pictures), torch.from_numpy(classes), n_steps=2400, lr=3e-3, seed=SEED
    )
    held_out, held_out_classes = draw_letters(50, SEED + 1)
    with torch.inference_mode():
        guessed = classifier(network(pixels_of(held_out))).argmax(1).numpy()
    accuracy = float((guessed == held_out_classes).mean())
    FOLDER.mkdir(exist_ok=True)
    weights = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in network.state_dict().items()
    }
    save_file(weights, str(FOLDER / "model.safetensors"))
    config = {**CONFIG, "accuracy_on_new_letters": round(accuracy, 4), "seed": SEED}
    (FOLDER / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    say(f"Accuracy on newly drawn letters: {accuracy:.3f}; weights are in {FOLDER}")


def _font_files() -> list[Path]:
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return sorted(
        path
        for path in folder.glob("*.ttf")
        if path.stem.startswith(("DejaVu", "STIXGeneral", "cmr", "cmss", "cmtt", "cmmi", "cmb"))
        and "Display" not in path.stem
    )


def _draw(letter: str, font: Any, random: np.random.Generator) -> np.ndarray:
    """One warped letter as uint8 (8, 8)."""
    from PIL import Image, ImageDraw

    canvas = Image.new("L", (96, 96), 0)
    stroke = int(random.integers(0, 2))
    ImageDraw.Draw(canvas).text(
        (48, 48),
        letter,
        fill=255,
        font=font,
        anchor="mm",
        stroke_width=stroke,
    )
    warped = _warp(canvas, random)
    inked = np.asarray(warped) > 120
    if not inked.any():
        return np.zeros((8, 8), np.uint8)
    rows, columns = np.flatnonzero(inked.any(1)), np.flatnonzero(inked.any(0))
    box = warped.crop((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))
    height = 32
    width = max(5, min(26, round(32 * box.width / box.height * random.uniform(0.65, 1.0))))
    fitted = np.zeros((32, 32), bool)
    left = (32 - width) // 2
    fitted[:, left : left + width] = np.asarray(box.resize((width, height), Image.Resampling.BILINEAR)) > 120
    counts = fitted.reshape(8, 4, 8, 4).sum(axis=(1, 3))
    return np.asarray(counts * 255 // 16, dtype=np.uint8)


def _warp(canvas: Any, random: np.random.Generator) -> Any:
    """Rotate, shear and bend an image, as handwriting does."""
    from PIL import Image
    from scipy.ndimage import gaussian_filter, map_coordinates

    ink = np.asarray(canvas, dtype=np.float32)
    angle, shear = random.normal(0, 0.14), random.normal(0, 0.2)
    grid = np.stack(np.meshgrid(np.arange(96), np.arange(96), indexing="ij")).astype(np.float32) - 48
    rows = np.cos(angle) * grid[0] + np.sin(angle) * grid[1]
    columns = -np.sin(angle) * grid[0] + np.cos(angle) * grid[1] + shear * grid[0]
    bend = [gaussian_filter(random.normal(0, 1, (96, 96)), 9) * 70 for _ in range(2)]
    moved = map_coordinates(ink, [rows + 48 + bend[0], columns + 48 + bend[1]], order=1)
    return Image.fromarray(moved.clip(0, 255).astype(np.uint8))


if __name__ == "__main__":
    main()
