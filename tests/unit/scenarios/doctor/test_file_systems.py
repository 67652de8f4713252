"""Where a folder lies is read as Linux tells it, and is judged by its kind."""

from __future__ import annotations

from scenarios.doctor.file_systems import Mount, mount_of, mounts_in

TOLD = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:25 / /home rw shared:2 master:3 - nfs4 server:/home rw,vers=4.2
31 30 0:26 / /home/me/with\\040blank rw - fuse.sshfs me@host:/data rw
32 22 0:27 / /tmp rw - tmpfs tmpfs rw
33 32 0:28 / /tmp rw - xfs /dev/sdb1 rw
not a line of it
"""


def test_each_mount_is_read_with_its_kind_whatever_fields_stand_between() -> None:
    mounts = mounts_in(TOLD)
    assert len(mounts) == 5
    assert mounts[1] == Mount("/home", "nfs4", "server:/home")
    assert mounts[2].point == "/home/me/with blank"


def test_a_folder_lies_on_the_nearest_mount_above_it_and_on_the_last_of_two_at_one_point() -> None:
    mounts = mounts_in(TOLD)

    def kind(path: str) -> str:
        found = mount_of(path, mounts)
        assert found is not None
        return found.kind

    assert kind("/var/runs") == "ext4"
    assert kind("/home/me/runs") == "nfs4"
    assert kind("/home/me/with blank/runs") == "fuse.sshfs"
    assert kind("/homely") == "ext4"
    assert kind("/tmp") == "xfs"
    assert mount_of("/x", []) is None
