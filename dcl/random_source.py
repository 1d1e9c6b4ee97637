"""A seeded generator that is made on the device which first asks, and goes with the state_dict."""

import torch
from torch import Tensor, nn


class RandomSource(nn.Module):
    """A seeded generator made on the device that asks; its state is in `state_dict()`.

    Where another device asks, one is made there from the seed, anew: no device reads another's
    state. Without a seed, torch's global generator is meant.
    """

    def __init__(self, seed: int | None):
        super().__init__()
        self.seed = seed
        self.generator: torch.Generator | None = None

    def on(self, device: torch.device) -> torch.Generator | None:
        made = self.generator
        if self.seed is not None and (made is None or made.device != device):
            self.generator = torch.Generator(device).manual_seed(self.seed)
            if made is None and self._state is not None:
                self.generator.set_state(self._state)
        return self.generator

    _state: Tensor | None = None  # loaded before the device is known

    def get_extra_state(self) -> Tensor:
        if self.generator is not None:
            return self.generator.get_state()
        return torch.empty(0) if self._state is None else self._state

    def set_extra_state(self, state: Tensor) -> None:
        if state.numel() and self.seed is None:
            raise ValueError("the saved criterion draws from a seed, this one has none: give seed")
        self.generator, self._state = None, state.cpu() if state.numel() else None
