"""How vectors are held on disk: as they are, rounded, or as a centroid and a quantised residual.

T vectors, D dimensions, K centroids.

| precision | bytes of a vector of 128 dimensions | |
|---|---|---|
| `float32` | 512 | bit for bit what was encoded |
| `float16` | 256 | |
| `int8` | 130 | every vector in steps of its own largest value / 127 |
| `4bit`, `2bit`, `1bit` | 68, 36, 20 | residuals (Santhanam et al., NAACL 2022, section 3.3) |
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import torch
import torch.nn.functional as F

from clir_ot.errors import UserError

Tensors = Mapping[str, torch.Tensor]

_DTYPES = {"float32": torch.float32, "float16": torch.float16}
_BITS = {"4bit": 4, "2bit": 2, "1bit": 1}
PRECISIONS = (*_DTYPES, "int8", *_BITS)

_PASSES = 4  # of k-means, as ColBERTv2's
_A_CENTROID = 40  # vectors that each is learnt from, at most
_MOST = 65536  # centroids


class Codec(Protocol):
    """Vectors to what is stored of them, and back."""

    @property
    def state(self) -> Tensors:
        """What it has learnt."""

    def encode(self, vectors: torch.Tensor) -> dict[str, torch.Tensor]:
        """What is stored of (T, D) float32 unit vectors: tensors of T rows."""

    def decode(self, stored: Tensors, rows: torch.Tensor) -> torch.Tensor:
        """The vectors at some rows, float32, of shape `rows.shape + (D,)`."""


@dataclass(frozen=True)
class Plain:
    """Floating-point numbers of some type."""

    dtype: torch.dtype

    @property
    def state(self) -> Tensors:
        """Nothing."""
        return {}

    def encode(self, vectors: torch.Tensor) -> dict[str, torch.Tensor]:
        """`vectors` (T, D)."""
        return {"vectors": vectors.to(self.dtype)}

    def decode(self, stored: Tensors, rows: torch.Tensor) -> torch.Tensor:
        """As float32."""
        return stored["vectors"][rows].float()


@dataclass(frozen=True)
class Int8:
    """Whole numbers from -127 to 127, and their step, one for each vector."""

    @property
    def state(self) -> Tensors:
        """Nothing."""
        return {}

    def encode(self, vectors: torch.Tensor) -> dict[str, torch.Tensor]:
        """`codes` (T, D) int8, `steps` (T,) float16."""
        steps = (vectors.abs().amax(dim=1) / 127).half()
        codes = (vectors / steps.float()[:, None]).round().clamp(-127, 127)
        return {"codes": codes.to(torch.int8), "steps": steps}

    def decode(self, stored: Tensors, rows: torch.Tensor) -> torch.Tensor:
        """Unit vectors but for the rounding."""
        return stored["codes"][rows].float() * stored["steps"][rows].float()[..., None]


@dataclass(frozen=True)
class Residual:
    """The nearest centroid, and of each dimension of what is left, in which of 2^bits ranges it lies.

    Santhanam et al. (2022), section 3.3. The ranges hold equally many of the values that the codec was learnt from, and
    are the same for all dimensions; a range is read as the median of its values. Vectors are normalised again.

    Attributes:
        bits: 1, 2 or 4.
        centroids: (K, D) float32.
        borders: (2^bits - 1,) float32, between the ranges.
        values: (2^bits,) float32, of the ranges.
    """

    bits: int
    centroids: torch.Tensor
    borders: torch.Tensor
    values: torch.Tensor

    @property
    def state(self) -> Tensors:
        """Centroids, borders and values."""
        return {"centroids": self.centroids, "borders": self.borders, "values": self.values}

    @classmethod
    def learn(cls, bits: int, sample: torch.Tensor, tokens: int) -> "Residual":
        """From a sample of the vectors.

        Args:
            bits: 1, 2 or 4.
            sample: (S, D) float32.
            tokens: how many vectors there are in all, about; there are about four centroids for the root of it.

        Raises:
            UserError: D is not a multiple of 8; faiss is not installed.
        """
        faiss = import_faiss("a residual precision")
        if sample.shape[1] % 8:
            raise UserError(f"vectors of {sample.shape[1]} dimensions cannot be packed; choose float16 or int8")
        wanted = 2 ** round(torch.tensor(4 * tokens**0.5).log2().item())
        count = max(1, min(wanted, _MOST, len(sample) // 8))
        k_means = faiss.Kmeans(
            sample.shape[1],
            count,
            niter=_PASSES,
            seed=1,
            spherical=True,
            min_points_per_centroid=1,
            max_points_per_centroid=_A_CENTROID,
        )
        k_means.train(sample.numpy())
        centroids = torch.from_numpy(k_means.centroids)
        few = sample[torch.linspace(0, len(sample) - 1, min(len(sample), 2**15)).long()]
        residuals = (few - centroids[_nearest(few, centroids)]).flatten().sort().values
        ranges = 2**bits
        borders, values = (
            residuals[[int(len(residuals) * (i + within) / ranges) for i in range(start, ranges)]]
            for start, within in ((1, 0), (0, 0.5))
        )
        return cls(bits, centroids, borders, values)

    def encode(self, vectors: torch.Tensor) -> dict[str, torch.Tensor]:
        """`centroids` (T,) int32, `residuals` (T, D * bits / 8) uint8, the first dimension in the lowest bits."""
        parts = [self._encode(part) for part in vectors.split(2**14)]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def _encode(self, vectors: torch.Tensor) -> dict[str, torch.Tensor]:
        nearest = _nearest(vectors, self.centroids)
        ranges = torch.bucketize(vectors - self.centroids[nearest], self.borders)  # (T, D)
        packed = (ranges.view(len(vectors), -1, 8 // self.bits) << self._shifts).sum(dim=-1)
        return {"centroids": nearest.int(), "residuals": packed.to(torch.uint8)}

    def decode(self, stored: Tensors, rows: torch.Tensor) -> torch.Tensor:
        """Unit vectors."""
        residuals = F.embedding(stored["residuals"][rows].int(), self._bytes).flatten(start_dim=-2)
        return F.normalize(residuals.add_(F.embedding(stored["centroids"][rows], self.centroids)), dim=-1)

    @property
    def _shifts(self) -> torch.Tensor:
        return torch.arange(0, 8, self.bits)

    @cached_property
    def _bytes(self) -> torch.Tensor:
        """(256, 8 / bits), the values that each byte stands for."""
        return self.values[(torch.arange(256)[:, None] >> self._shifts) % 2**self.bits]


def new_codec(precision: str, sample: Callable[[], tuple[torch.Tensor, int]]) -> Codec:
    """The codec of a precision, learnt where it must be.

    Args:
        precision: one of `PRECISIONS`.
        sample: gives some of the vectors (S, D) float32, and about how many there are in all; called where needed.

    Raises:
        UserError: see `Residual.learn`.
    """
    if precision in _BITS:
        return Residual.learn(_BITS[precision], *sample())
    return codec_of(precision, {})


def codec_of(precision: str, state: Tensors) -> Codec:
    """A codec from its `state`."""
    if precision in _BITS:
        return Residual(_BITS[precision], state["centroids"], state["borders"], state["values"])
    return Int8() if precision == "int8" else Plain(_DTYPES[precision])


def learns(precision: str) -> bool:
    """Whether a codec of the precision has a state."""
    return precision in _BITS


def import_faiss(what_for: str) -> Any:
    """The library of k-means and of approximate search, which is not always installed.

    Raises:
        UserError: it is not; says how to install it.
    """
    try:
        import faiss
    except ImportError as error:
        raise UserError(f"{what_for} needs faiss: pip install 'clir-ot[faiss]'") from error
    return faiss


def _nearest(vectors: torch.Tensor, centroids: torch.Tensor) -> torch.Tensor:
    """(T,) int64: of unit centroids, that of the greatest inner product."""
    return torch.cat([(part @ centroids.T).argmax(dim=1) for part in vectors.split(1024)])
