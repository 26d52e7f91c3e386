"""Run alone, with a spec's path: lays out a container's root and runs its program there as PID 1, as runc does.

Ends as the program ended, 128+N for a signal. Whatever keeps it from starting the program at all goes to the file
`error` in the run's folder; a program that cannot be executed ends it with 127 (not found) or 126, as in Docker.
"""

from __future__ import annotations

import base64
import ctypes
import fcntl
import json
import os
import pwd
import resource
import signal
import socket
import struct
import sys
from typing import NoReturn

CLONE_NEWNS, CLONE_NEWPID = 0x20000, 0x20000000
CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET = 0x4000000, 0x8000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 0x2, 0x4, 0x8, 0x1000, 0x4000, 1 << 18
PR_SET_PDEATHSIG = 1
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1
NOT_FOUND, NOT_EXECUTABLE = 127, 126
SETUP_FAILED = 125
FIRST_FREE_UID = 4000

_libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(source: str, target: str, kind: str, flags: int = 0, options: str = "") -> None:
    arguments = (source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())
    check(_libc.mount(*arguments), f"mount {kind or source} on {target}")


def make_root(scratch: str, lower: str) -> str:
    """An overlay over a root (this machine's, as a rule), with its own /proc and the run's folder at /.oracle."""
    place = f"{scratch}/layers"
    os.mkdir(place)
    mount("tmpfs", place, "tmpfs")
    upper, work, root = (f"{place}/{name}" for name in ("upper", "work", "root"))
    for folder in (upper, work, root):
        os.mkdir(folder, 0o755)
    mount("overlay", root, "overlay", 0, f"lowerdir={lower},upperdir={upper},workdir={work}")
    os.makedirs(f"{root}/.oracle")
    mount(scratch, f"{root}/.oracle", "", MS_BIND)
    mount("/dev", f"{root}/dev", "", MS_BIND | MS_REC)
    # What lies in this machine's /tmp is in no image, and a launch may write there.
    mount("tmpfs", f"{root}/tmp", "tmpfs", 0, "mode=1777")
    session = os.path.dirname(scratch)
    os.makedirs(f"{root}{session}", exist_ok=True)
    mount(session, f"{root}{session}", "", MS_BIND)
    return root


def put(entry: dict[str, str | int]) -> None:
    """Make one entry, in the root that is now ours."""
    path = str(entry["path"])
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):
        os.remove(path)
    if "link" in entry:
        os.symlink(str(entry["link"]), path)
    if "content" in entry:
        write(path, base64.b64decode(str(entry["content"])), int(entry["mode"]))
    if "copy" in entry:
        with open(str(entry["copy"]), "rb") as original:
            write(path, original.read(), int(entry["mode"]))


def write(path: str, data: bytes, mode: int) -> None:
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)


def add_users(names: list[str]) -> None:
    """Give each name that this machine does not know a user and a group of its own."""
    known = {user.pw_name for user in pwd.getpwall()}
    new = [(name, FIRST_FREE_UID + index) for index, name in enumerate(names) if name not in known]
    lines = {"passwd": "{0}:x:{1}:{1}::/:/bin/sh\n", "group": "{0}:x:{1}:\n", "shadow": "{0}:*:1::::::\n"}
    for name, line in lines.items():
        with open(f"/etc/{name}", "a", encoding="utf-8") as file:
            file.writelines(line.format(name, uid) for name, uid in new)


def become(user: str) -> None:
    """Take on an image's USER: a name or a number, with or without a group."""
    name, _, group = user.partition(":")
    if not name:
        return
    uid, own_group = (int(name), 0) if name.isdigit() else pwd.getpwnam(name)[2:4]
    gid = int(group) if group.isdigit() else own_group
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def reset_signals() -> None:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def start(spec: dict[str, object]) -> NoReturn:
    """Become the container's program."""
    argv, env = spec["argv"], spec["env"]
    assert isinstance(argv, list) and isinstance(env, dict)
    os.makedirs(str(spec["cwd"]), exist_ok=True)
    os.chdir(str(spec["cwd"]))
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    reset_signals()
    become(str(spec["user"]))
    os.umask(0o022)
    try:
        os.execvpe(argv[0], argv, env)
    except OSError as error:
        sys.stderr.write(f"exec {argv[0]}: {error.strerror}\n")
        sys.stderr.flush()
        os._exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE)


def loopback_up() -> None:
    """Give a network of its own the one address that a server there can listen on."""
    request = struct.pack("16sH14x", b"lo", IFF_UP)
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def run(spec: dict[str, object]) -> int:
    """Make the namespaces, run the program, give its exit code as Docker would."""
    scratch, entries, users = str(spec["scratch"]), spec["entries"], spec["users"]
    assert isinstance(entries, list) and isinstance(users, list)
    apart = CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET if spec.get("network") == "none" else 0
    check(_libc.unshare(CLONE_NEWNS | CLONE_NEWPID | apart), "unshare")
    if apart:
        loopback_up()
    mount("none", "/", "", MS_REC | MS_PRIVATE)
    root = make_root(scratch, str(spec.get("lower", "/")))
    pid = os.fork()
    if pid == 0:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # Mounted from inside: a /proc shows the namespace of the process that mounts it.
        mount("proc", f"{root}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        os.chroot(root)
        os.chdir("/")
        for entry in entries:
            put(entry)
        add_users(users)
        start(spec)
    with open(f"{scratch}/pid", "w", encoding="ascii") as file:
        file.write(f"{pid}\n")
    _, status = os.waitpid(pid, 0)
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def main() -> NoReturn:
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = json.load(file)
    # Opened before the root changes.
    with open(f"{spec['scratch']}/error", "w", encoding="utf-8") as complaints:
        try:
            code = run(spec)
        except (OSError, KeyError) as error:
            complaints.write(str(error))
            code = SETUP_FAILED
    os._exit(code)


if __name__ == "__main__":
    main()
