"""The publications that a campaign rests on: of its policy, of its estimator, of the bias that is measured. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from scenarios.settings.dataset import DOI


@dataclass(frozen=True, slots=True)
class Work:
    """A publication.

    Attributes:
        doi: Its digital object identifier.
        title: Its title.
        authors: As they are cited.
        year: When it appeared.
        venue: Where.
    """

    doi: str
    title: str
    authors: str
    year: int
    venue: str

    @property
    def url(self) -> str:
        """The address of its identifier."""
        return f"{DOI}{self.doi}"

    @property
    def in_words(self) -> str:
        """The work as it is cited."""
        return f"{self.authors}: {self.title}. {self.venue} ({self.year}). {self.url}"


ETAL: Final = Work(
    "10.1063/5.0138913",
    "ET-AL: Entropy-targeted active learning for bias mitigation in materials data",
    "H. Zhang, W. W. Chen, J. M. Rondinelli, W. Chen",
    2023,
    "Applied Physics Reviews 10, 021403",
)
"""Where the bias of a dataset is the unevenness of its families' entropies: behind every campaign of ours."""

OF_POLICY: Final[Mapping[str, Work]] = {
    "causal_reference": Work(
        "10.1088/2632-2153/ad6feb",
        "Active causal learning for decoding chemical complexities with targeted interventions",
        "Z. R. Fox, A. Ghosh",
        2024,
        "Machine Learning: Science and Technology 5, 035056",
    ),
    "coverage": Work(
        "10.1016/0304-3975(85)90224-5",
        "Clustering to minimize the maximum intercluster distance",
        "T. F. Gonzalez",
        1985,
        "Theoretical Computer Science 38, 293",
    ),
    "expected_improvement": Work(
        "10.1023/A:1008306431147",
        "Efficient global optimization of expensive black-box functions",
        "D. R. Jones, M. Schonlau, W. J. Welch",
        1998,
        "Journal of Global Optimization 13, 455",
    ),
    "fidelity_gain": Work(
        "10.2307/1910412",
        "Optimal search for the best alternative",
        "M. L. Weitzman",
        1979,
        "Econometrica 47, 641",
    ),
    "probability_of_exceeding": Work(
        "10.1115/1.3653121",
        "A new method of locating the maximum point of an arbitrary multipeak curve in the presence of noise",
        "H. J. Kushner",
        1964,
        "Journal of Basic Engineering 86, 97",
    ),
    "target_mean": Work(
        "10.1038/s42256-023-00719-0",
        "Active learning for optimal intervention design in causal models",
        "J. Zhang, L. Cammarata, C. Squires, T. P. Sapsis, C. Uhler",
        2023,
        "Nature Machine Intelligence 5, 1066",
    ),
    "uncertainty": Work(
        "10.1162/neco.1992.4.4.590",
        "Information-based objective functions for active data selection",
        "D. J. C. MacKay",
        1992,
        "Neural Computation 4, 590",
    ),
}
"""Policy -> what it is made after; one of ours that is made after nothing is not there."""

OF_ESTIMATOR: Final[Mapping[str, Work]] = {
    "m_spacing": Work(
        "10.1111/j.2517-6161.1976.tb01566.x",
        "A test for normality based on sample entropy",
        "O. Vasicek",
        1976,
        "Journal of the Royal Statistical Society B 38, 54",
    ),
    "gaussian_kernel": Work(
        "10.1109/TIT.1976.1055550",
        "A nonparametric estimation of the entropy for absolutely continuous distributions",
        "I. Ahmad, P.-E. Lin",
        1976,
        "IEEE Transactions on Information Theory 22, 372",
    ),
}
"""Estimator of entropies -> its publication, where that has an identifier."""


def works_of(policy: str, estimator: str) -> tuple[Work, ...]:
    """Return what a campaign of a policy rests on, each work once."""
    found = (ETAL, OF_POLICY.get(policy), OF_ESTIMATOR.get(estimator))
    return tuple(dict.fromkeys(each for each in found if each is not None))
