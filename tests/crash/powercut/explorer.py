"""Cuts the power at every write and sync of a recorded campaign, and checks everything that the disk may then hold.

    python -m tests.crash.powercut --images 100000 --jobs 2          a release run
    python -m tests.crash.powercut --recording DIR --image 1234.7    one image again, kept in a folder to look at

A campaign (`campaign`) is recorded through two lives: begun and killed, resumed and ended. Then at each of
its writes, syncs, new names and marks of the world, images are built from what is safe and what is pending
(`disk`) and held against what the world had seen (`promises`). Two databases of equal bytes are
opened once; what they hold is compared with the world at every moment. Some images are carried on: the campaign
restarts on them and must take the decisions that its undisturbed twin took, and begin no evaluation again.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from protocols.errors import StoreError
from tests.crash.powercut import campaign as campaigns
from tests.crash.powercut.disk import MARK, SYNC, WRITE, Change, Disk, Image, dispositions, read_recording
from tests.crash.powercut.promises import (
    Broken,
    Facts,
    JournalFold,
    Owed,
    agent_facts,
    digest_of,
    require_welcome,
    simulator_facts,
)
from tests.crash.powercut.recorder import build_recorder, record

RUN: Final = f"runs/{campaigns.CAMPAIGN}"
LAB: Final = "runs/lab"
FIRST_LIFE_MARKS: Final = 430
"""The kill of the first life: at two fifths of the campaign."""

LEFT_OUT: Final = (".lock", ".in_process", ".jsonl")
"""Files that no promise stands on, beside the databases: lock files, the note of what is in process, the recording."""

BEGINNING_EVENTS: Final = 2
"""What `agent.runtime.resume.begin` writes."""

BLOCK: Final = 64
"""Moments in a row that one job takes, so that it opens what it has opened before."""

STATES: Final = 24
"""Combinations tried at each moment of a round, beside "nothing" and "everything"."""

MAX_ROUNDS: Final = 50
"""A recording has a bounded number of images: after so many rounds there are no new ones."""

PROGRESS_EVERY_S: Final = 30.0

WELCOME_EVERY: Final = 5
"""One in so many databases is also shown to the check that tells damage from a tear: it sums every frame in Python."""

RAM_DISK: Final = "/dev/shm" if Path("/dev/shm").is_dir() else None


@dataclass(slots=True)
class Findings:
    """What an exploration found."""

    moments: int = 0
    built: int = 0
    distinct: set[bytes] = field(default_factory=set)
    opened: int = 0
    restarts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        """Take in what another job found."""
        self.moments += other.moments
        self.built += other.built
        self.distinct |= other.distinct
        self.opened += other.opened
        self.restarts += other.restarts
        self.violations += other.violations


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded campaign in a folder."""

    folder: Path

    @property
    def root(self) -> Path:
        """The folder that was recorded, as it was at the end."""
        return self.folder / "root"

    @property
    def log(self) -> Path:
        """The recording."""
        return self.folder / "recording"

    def changes(self) -> list[Change]:
        """Return what was recorded."""
        return read_recording(self.log, self.root.resolve())


def record_campaign(folder: Path, *, plant: str = "") -> Recorded:
    """Record a campaign through two lives.

    Raises:
        RuntimeError: When a life ended otherwise than it should.
    """
    recorded = Recorded(folder)
    recorded.root.mkdir(parents=True)
    library = build_recorder(folder)
    lives: tuple[tuple[str, list[str]], ...] = (("1", ["--die-after", str(FIRST_LIFE_MARKS)]), ("2", []))
    for life, more in lives:
        arguments = ["-m", "tests.crash.powercut.campaign", str(recorded.root.resolve()), "--life", life, *more]
        arguments += ["--plant", plant] if plant else []
        status = record(library, recorded.root, recorded.log, *arguments)
        if status:
            message = f"life {life} of the recorded campaign ended with status {status}"
            raise RuntimeError(message)
    return recorded


class Explorer:
    """Builds images and judges them.

    Args:
        recorded: The campaign.
        seed: Of the combinations.
        states: Combinations a moment, beside "nothing" and "everything".
        restart_every: One in so many distinct images is carried on; 0 for none.
    """

    def __init__(self, recorded: Recorded, *, seed: int, states: int, restart_every: int) -> None:
        self.findings = Findings()
        self._story = JournalFold.of(recorded.root / RUN / "campaign.db")
        self._changes = recorded.changes()
        self._seed = seed
        self._states = states
        self._restart_every = restart_every
        self._digests: dict[int, tuple[int, bytes]] = {}
        self._campaigns: dict[bytes, tuple[int, frozenset[str]] | str] = {}
        self._labs: dict[bytes, Facts | str] = {}
        self._twin: list[dict[str, Any]] = []

    def explore(self, *, job: int = 0, jobs: int = 1, only: str = "", keep: Path | None = None) -> Findings:
        """Go through the recording; look at every `jobs`-th block of moments.

        Args:
            job: Which of the jobs this is.
            jobs: How many share the work.
            only: One image, "moment.variant".
            keep: Where to leave that image.
        """
        with tempfile.TemporaryDirectory(dir=RAM_DISK) as name:
            for moment, disk, owed in self._moments():
                mine = moment // BLOCK % jobs == job if not only else only.startswith(f"{moment}.")
                if not mine:
                    continue
                self.findings.moments += 1
                rng = random.Random(f"{self._seed}|{moment}")
                for variant, left in enumerate(dispositions(disk.pending, rng, self._states)):
                    which = f"{moment}.{variant}"
                    if not only or which == only:
                        self._judge(which, disk, left, owed, Path(name))
                        if keep is not None:
                            disk.safe.with_changes(left).write_to(keep, frozenset(disk.folders))
        return self.findings

    def _moments(self) -> Iterator[tuple[int, Disk, Owed]]:
        disk = Disk(left_out=lambda path: path.endswith(LEFT_OUT))
        owed = Owed(self._story)
        spoken = time.monotonic()
        for moment, change in enumerate(self._changes):
            if time.monotonic() - spoken > PROGRESS_EVERY_S:
                spoken = time.monotonic()
                share = f"{moment / len(self._changes):.0%}"
                print(f"  {share} of the recording, {len(self.findings.distinct):,} images here", flush=True)
            disk.play(change)
            if change.kind == MARK:
                self._let_see(owed, moment, json.loads(change.content))
            yield moment, disk, owed

    def _let_see(self, owed: Owed, moment: int, mark: dict[str, Any]) -> None:
        try:
            owed.see(mark)
        except Broken as broken:
            self.findings.violations.append(f"{moment}.world: {broken}")

    def _judge(self, which: str, disk: Disk, left: list[Change], owed: Owed, scratch: Path) -> None:
        image = disk.safe.with_changes(left)
        touched = {change.file for change in left}
        ours, theirs = self._key(image, RUN, disk, touched), self._key(image, LAB, disk, touched)
        whole = ours + theirs
        self.findings.built += 1
        new = whole not in self.findings.distinct
        self.findings.distinct.add(whole)
        try:
            length, outbox = self._campaign(ours, image, disk, scratch)
            owed.check_agent(length, outbox)
            owed.check_simulator(self._lab(theirs, image, disk, scratch))
            if new and owed.journal_length == 0:
                self._begin_on(image, disk, length)
            if new and self._restart_every and len(self.findings.distinct) % self._restart_every == 0:
                self._carry_on(which, image, disk, owed)
        except Broken as broken:
            self.findings.violations.append(f"{which}: {broken}")

    def _campaign(self, key: bytes, image: Image, disk: Disk, scratch: Path) -> tuple[int, frozenset[str]]:
        if key not in self._campaigns:
            try:
                folder = self._write(image, disk, RUN, scratch)
                self._ask_for_welcome(folder / "campaign.db")
                self._campaigns[key] = agent_facts(folder, self._story)
            except Broken as broken:
                self._campaigns[key] = str(broken)
        found = self._campaigns[key]
        if isinstance(found, str):
            raise Broken(found)
        return found

    def _lab(self, key: bytes, image: Image, disk: Disk, scratch: Path) -> Facts:
        if key not in self._labs:
            try:
                folder = self._write(image, disk, LAB, scratch)
                self._ask_for_welcome(folder / f"{campaigns.SIMULATOR}.db")
                self._labs[key] = simulator_facts(folder, campaigns.SIMULATOR)
            except Broken as broken:
                self._labs[key] = str(broken)
        found = self._labs[key]
        if isinstance(found, str):
            raise Broken(found)
        return found

    def _ask_for_welcome(self, database: Path) -> None:
        if self.findings.opened % WELCOME_EVERY == 0:
            require_welcome(database)

    def _write(self, image: Image, disk: Disk, part: str, scratch: Path) -> Path:
        self.findings.opened += 1
        shutil.rmtree(scratch)
        scratch.mkdir()
        image.write_to(scratch, frozenset(disk.folders), keep=lambda path: path.startswith(f"{part}/"))
        return scratch / part

    def _key(self, image: Image, part: str, disk: Disk, touched: set[int]) -> bytes:
        """Return the digest of one side's files."""
        return digest_of(
            (path, b"/" if file in disk.folders else self._file_digest(image, file, disk, fresh=file in touched))
            for path, file in image.files()
            if path.startswith(part)
        )

    def _file_digest(self, image: Image, file: int, disk: Disk, *, fresh: bool) -> bytes:
        version = disk.version.get(file, 0)
        known = self._digests.get(file)
        if not fresh and known is not None and known[0] == version:
            return known[1]
        digest = digest_of([("", bytes(image.contents.get(file, b"")))])
        if not fresh:
            self._digests[file] = (version, digest)
        return digest

    def _begin_on(self, image: Image, disk: Disk, length: int) -> None:
        """Begin the campaign on an image of its very first start, or resume it when it had begun."""
        with tempfile.TemporaryDirectory(dir=RAM_DISK) as name:
            image.write_to(Path(name), frozenset(disk.folders))
            try:
                with campaigns.opened(Path(name) / RUN, resume=length > 0) as files:
                    begun = files.store.sequence
            except StoreError as error:
                raise Broken(f"a campaign cannot begin here: {error}") from None
        if begun < BEGINNING_EVENTS:
            raise Broken(f"the campaign began with {begun} events")
        self.findings.restarts["of the first start"] += 1

    def _carry_on(self, which: str, image: Image, disk: Disk, owed: Owed) -> None:
        """Restart the campaign on an image: it ends, decides as its twin, and begins no evaluation again."""
        if not self._twin:
            self._twin = undisturbed()
        with tempfile.TemporaryDirectory(dir=RAM_DISK) as name:
            image.write_to(Path(name), frozenset(disk.folders))
            world = campaigns.World(None)
            try:
                decided = campaigns.play_to_the_end(Path(name), world, life=f"after-{which.replace('.', '-')}")
            except StoreError as error:
                raise Broken(f"a restart is refused: {error}") from None
        again = owed.begun & {mark["which"] for mark in world.marks if mark["what"] == "began"}
        if again:
            raise Broken(f"a restart evaluates again: {sorted(again)[:3]}")
        if decided != self._twin:
            first = next(n for n, pair in enumerate(zip(decided, self._twin, strict=False)) if pair[0] != pair[1])
            raise Broken(f"a restart decides otherwise: {decided[first]}, not {self._twin[first]}")
        self.findings.restarts["to the end"] += 1


def undisturbed() -> list[dict[str, Any]]:
    """Return the decisions of a campaign that nothing disturbs."""
    with tempfile.TemporaryDirectory(dir=RAM_DISK) as name:
        return campaigns.play_to_the_end(Path(name), campaigns.World(None))


def explore(recorded: Recorded, *, seed: int, states: int, restart_every: int, jobs: int) -> Findings:
    """Explore a recording in several processes."""
    findings = Findings()
    with ProcessPoolExecutor(jobs) as pool:
        shares = [
            pool.submit(_explore_share, recorded.folder, seed, states, restart_every, job, jobs) for job in range(jobs)
        ]
        for share in shares:
            findings.add(share.result())
    return findings


def _explore_share(  # noqa: PLR0917 - of one call, above
    folder: Path, seed: int, states: int, restart_every: int, job: int, jobs: int
) -> Findings:
    explorer = Explorer(Recorded(folder), seed=seed, states=states, restart_every=restart_every)
    return explorer.explore(job=job, jobs=jobs)


def main() -> int:
    """Run from the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=100_000, help="distinct images to look at (default: 100,000)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="of the first round of combinations")
    parser.add_argument("--restart-every", type=int, default=200, help="carry one in so many images on; 0: none")
    parser.add_argument("--plant", choices=campaigns.PLANTS, default="", help="record with a deliberate fault")
    parser.add_argument("--recording", type=Path, help="a recording that was kept, instead of a new one")
    parser.add_argument("--image", default="", help="judge one image of --seed, and keep it beside the recording")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args()
    folder = given.recording or Path(tempfile.mkdtemp(prefix="powercut-"))
    recorded = Recorded(folder) if given.recording else record_campaign(folder, plant=given.plant)
    if given.image:
        return _look_at(recorded, given.seed, given.image)
    began = time.monotonic()
    findings, rounds = Findings(), 0
    while len(findings.distinct) < given.images and not findings.violations and rounds < MAX_ROUNDS:
        seed = given.seed + rounds
        found = explore(recorded, seed=seed, states=STATES, restart_every=given.restart_every, jobs=given.jobs)
        findings.add(found)
        rounds += 1
        print(f"seed {seed}: {len(findings.distinct):,} images, {time.monotonic() - began:.0f} s", flush=True)
    figures = summary(recorded, findings, seconds=time.monotonic() - began)
    print("\n".join(f"{name.replace('_', ' '):32s}{figure:>12,}" for name, figure in figures.items()))
    print(json.dumps(figures))
    if given.json:
        given.json.write_text(json.dumps(figures) + "\n")
    for violation in findings.violations[:20]:
        print(f"VIOLATION at image {violation}")
    if findings.violations:
        which = findings.violations[0].partition(":")[0]
        again = f"--recording {folder} --seed {given.seed + rounds - 1} --image {which}"
        print(f"again: python -m tests.crash.powercut {again}")
        return 1
    if not given.recording:
        shutil.rmtree(folder)
    return 0


def summary(recorded: Recorded, findings: Findings, *, seconds: float) -> dict[str, int]:
    """Return the figures of an exploration."""
    kinds = Counter(change.kind for change in recorded.changes())
    return {
        "writes": kinds[WRITE],
        "syncs": kinds[SYNC],
        "marks_of_the_world": kinds[MARK],
        "moments": findings.moments,
        "images_built": findings.built,
        "distinct_images": len(findings.distinct),
        "databases_opened": findings.opened,
        "first_starts_begun_again": findings.restarts["of the first start"],
        "restarted_to_the_end": findings.restarts["to the end"],
        "violations": len(findings.violations),
        "seconds": round(seconds),
    }


def _look_at(recorded: Recorded, seed: int, which: str) -> int:
    keep = recorded.folder / f"image-{seed}-{which}"
    shutil.rmtree(keep, ignore_errors=True)
    keep.mkdir()
    explorer = Explorer(recorded, seed=seed, states=STATES, restart_every=1)
    findings = explorer.explore(only=which, keep=keep)
    print("\n".join(findings.violations) or f"image {which} keeps every promise")
    print(f"the image is in {keep}")
    return 1 if findings.violations else 0
