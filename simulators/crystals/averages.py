"""What an elastic tensor says of a polycrystal: bounds of Voigt and Reuss, Hill's mean, and how unlike the two are.

| symbol | meaning | unit |
|---|---|---|
| C | elastic constants in Voigt's notation, shape (6, 6), engineering shear strains | GPa |
| S | compliance, the inverse of C | 1/GPa |
| B, G | bulk and shear modulus | GPa |
| A | universal anisotropy 5 G_V/G_R + B_V/B_R − 6, zero of an isotropic crystal | 1 |

R. Hill, Proc. Phys. Soc. A 65, 349 (1952); S. I. Ranganathan, M. Ostoja-Starzewski, Phys. Rev. Lett. 101, 055504
(2008).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Averages:
    """Moduli of a polycrystal.

    Attributes:
        bulk_voigt: Upper bound of the bulk modulus [GPa].
        bulk_reuss: Lower bound [GPa].
        shear_voigt: Upper bound of the shear modulus [GPa].
        shear_reuss: Lower bound [GPa].
    """

    bulk_voigt: float
    bulk_reuss: float
    shear_voigt: float
    shear_reuss: float

    @property
    def bulk(self) -> float:
        """Hill's bulk modulus [GPa]."""
        return 0.5 * (self.bulk_voigt + self.bulk_reuss)

    @property
    def shear(self) -> float:
        """Hill's shear modulus [GPa]."""
        return 0.5 * (self.shear_voigt + self.shear_reuss)

    @property
    def anisotropy(self) -> float:
        """Universal anisotropy."""
        return 5.0 * self.shear_voigt / self.shear_reuss + self.bulk_voigt / self.bulk_reuss - 6.0


def averages_of(constants: FloatArray) -> Averages:
    """Return the moduli that a stable crystal's elastic constants bound, C of shape (6, 6) [GPa]."""
    compliance: FloatArray = np.linalg.inv(constants).astype(np.float64)
    trace, beside, shears = _sums(constants)
    soft, soft_beside, soft_shears = _sums(compliance)
    return Averages(
        bulk_voigt=(trace + 2.0 * beside) / 9.0,
        bulk_reuss=1.0 / (soft + 2.0 * soft_beside),
        shear_voigt=(trace - beside + 3.0 * shears) / 15.0,
        shear_reuss=15.0 / (4.0 * soft - 4.0 * soft_beside + 3.0 * soft_shears),
    )


def _sums(tensor: FloatArray) -> tuple[float, float, float]:
    """Return the sums of what couples an axis to itself, to another, and of the shears."""
    return (
        float(np.trace(tensor[:3, :3])),
        float(tensor[0, 1] + tensor[0, 2] + tensor[1, 2]),
        float(np.trace(tensor[3:, 3:])),
    )
