"""The parts of one item, and the inputs of a run's program without some of them.

There are two ways to remove a part. An explanation is made with the first, and tested with the second: the test does
not pass merely because it repeats what the explanation was made from.

Legend: P parts of the item, M variants of the item.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

Way = Literal["explain", "test"]


class Parts(Protocol):
    """One item, cut into parts."""

    @property
    def n_parts(self) -> int:
        """P; 0 if there is nothing to remove."""

    @property
    def places(self) -> Sequence[str]:
        """Where each part is in the item, in words; of length P."""

    def inputs(self, present_MP: np.ndarray, way: Way) -> tuple[Tensor, ...]:
        """The program's inputs for M variants of the item.

        Args:
            present_MP: bool; False for the parts that are removed.
            way: how they are removed.
        """


REMOVED = {  # modality: how parts are removed to explain, and to test
    "image": ("blurred", "painted in the mean colour of the image"),
    "text": ("left out", "replaced by the mask or unknown token"),
    "audio": ("lowered to the level of the quietest tenth of the recording", "silenced"),
}
