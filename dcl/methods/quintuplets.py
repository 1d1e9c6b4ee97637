"""Quintuplets of LMLE: each sample's four partners in a batch, by class and cluster."""

import torch
from torch import Tensor


@torch.no_grad()
def find_partners(
    x: Tensor,
    labels: Tensor,
    clusters: Tensor,
    *,
    how: str = "hard",
    generator: torch.Generator | None = None,
    chunk: int = 8,
) -> tuple[Tensor, Tensor]:
    """Partners p+, p-, p-- and n of every sample of a batch, see `LMLE`.

    Parameters
    ----------
    x : Tensor (A, B, D)
    labels, clusters : Tensor (B, A), integer
        Class, -1 where unknown, and cluster within that class.
    how : {"hard", "random"}
        ``random``: each drawn uniformly among those that qualify; of two drawn of the class's
        other clusters the nearer one is p-, the farther one p--.
    generator : torch.Generator, optional
        Of the drawing, on x's device.
    chunk : int
        Attributes whose (B, B) distances are in memory at once.

    Returns
    -------
    partners : Tensor (A, B, 4)
        Indices into the batch; ties go to the lower one.
    valid : Tensor (A, B)
        Whether the sample has all four, and so is an anchor.
    """
    batch, attributes = labels.shape
    partners = torch.zeros(attributes, batch, 4, dtype=torch.long, device=x.device)
    valid = torch.zeros(attributes, batch, dtype=torch.bool, device=x.device)
    if not batch:
        return partners, valid
    itself = torch.eye(batch, dtype=torch.bool, device=x.device)
    for begin in range(0, attributes, chunk):
        span = slice(begin, begin + chunk)
        y, k = labels.T[span], clusters.T[span]
        known = y >= 0
        differ = y.unsqueeze(2) != y.unsqueeze(1)  # (a, B, B), anchor x partner
        other = differ & known.unsqueeze(1)  # of another class, and not of an unknown one
        split = k.unsqueeze(2) != k.unsqueeze(1)
        within, apart = ~(differ | split | itself), ~differ & split
        d = squared_distances(x[span], x[span])
        if how == "random":
            keys = torch.rand(4, *d.shape, device=d.device, generator=generator)
            first, second = (keys[role].masked_fill(~apart, -1).argmax(2) for role in (1, 2))
            swap = d.gather(2, first[..., None]) > d.gather(2, second[..., None])
            near = torch.where(swap[..., 0], second, first)
            partners[span, :, 0] = keys[0].masked_fill(~within, -1).argmax(2)
            partners[span, :, 1], partners[span, :, 2] = near, first + second - near
            partners[span, :, 3] = keys[3].masked_fill(~other, -1).argmax(2)
        else:
            partners[span, :, 0] = d.masked_fill(~within, -torch.inf).argmax(2)
            partners[span, :, 1] = d.masked_fill(~apart, torch.inf).argmin(2)
            partners[span, :, 2] = d.masked_fill(~apart, -torch.inf).argmax(2)
            partners[span, :, 3] = d.masked_fill(~other, torch.inf).argmin(2)
        valid[span] = known & within.any(2) & apart.any(2) & other.any(2)
    return partners, valid


def squared_distances(x: Tensor, y: Tensor) -> Tensor:
    """(A, n, D) and (A, m, D) -> (A, n, m), by matrix products: near 0 only rounding is left."""
    squares = x.square().sum(2).unsqueeze(2) + y.square().sum(2).unsqueeze(1)
    return torch.baddbmm(squares, x, y.mT, alpha=-2)
