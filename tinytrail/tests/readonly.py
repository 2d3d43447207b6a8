"""Runs a command as a container of compose.yaml would: `python readonly.py FOLDER... -- COMMAND`.

It gets the whole file system read-only but for a new, empty /tmp, and no right of root's except that it may read below
folders that are root's own, which an image has none of. FOLDERs that lie in /tmp are still there, and as read-only.
Started by root, within a mount namespace of its own (`unshare --mount`).
"""

import ctypes
import os
import sys

MS_BIND, MS_REC, MS_PRIVATE, MS_NOSUID, MS_NODEV = 4096, 16384, 1 << 18, 2, 4
# mount_setattr(2), which has no function in the C library.
MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, READ_ONLY = 442, -100, 0x8000, 1
USER = "10001"

libc = ctypes.CDLL(None, use_errno=True)


class Attributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("user", ctypes.c_uint64),
    )


def main(folders: list[str], command: list[str]) -> None:
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    everything = Attributes(set=READ_ONLY)
    done(libc.syscall(MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE, ctypes.byref(everything), ctypes.sizeof(everything)))
    # What is open stays reachable when the new /tmp hides it.
    held = [(folder, os.open(folder, os.O_PATH)) for folder in folders if folder.startswith("/tmp/")]
    mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777")
    for folder, handle in held:
        os.makedirs(folder)
        mount(f"/proc/self/fd/{handle}", folder, None, MS_BIND | MS_REC)
        os.close(handle)
    drop = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs"]
    read = ["--bounding-set=-all,+dac_read_search", "--inh-caps=-all,+dac_read_search"]
    os.chdir(folders[0])
    os.execvp("setpriv", [*drop, *read, "--ambient-caps=+dac_read_search", "--", *command])


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    done(libc.mount(source.encode(), target.encode(), kind.encode() if kind else None, flags, options.encode() or None))


def done(result: int) -> None:
    if result:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


if __name__ == "__main__":
    parting = sys.argv.index("--")
    main(sys.argv[1:parting], sys.argv[parting + 1 :])
