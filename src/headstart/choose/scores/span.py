"""Features in as many dimensions as there are items: all inner products stay, so wide features cost no more.

Legend: N items, D features, R = min(N, D).
"""

from __future__ import annotations

from scipy.linalg import qr

from headstart.choose.scores.sample import Float


def coordinates(x_ND: Float) -> Float:
    """Return the features in an orthonormal basis of a space that holds them, of shape (N, R)."""
    if x_ND.shape[1] <= len(x_ND):
        return x_ND
    (upper_RN,) = qr(x_ND.T, mode="r", check_finite=False)
    found: Float = upper_RN[: len(x_ND)].T.copy()
    return found
