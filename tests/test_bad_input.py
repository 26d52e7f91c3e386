"""What is no proper input is a finding or one clear line, never a traceback, and the other files are still checked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

GOOD = "FROM debian:12\nCMD app\n"
GOOD_LINE = (
    "good/Dockerfile:2:5: PID101 sh stays PID 1 and keeps SIGTERM from app: docker stop waits 10 s, then kills it"
)
SCRIPT = 'FROM debian:12\nCOPY s.sh /\nENTRYPOINT ["/s.sh"]\n'


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-m", "pid1lint", "--format", "concise", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def write(path: Path, data: bytes | str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    path.chmod(mode)


@pytest.mark.parametrize(
    ("data", "finding"),
    [
        pytest.param("", "1:1: PID901 the file has no instruction", id="empty"),
        pytest.param("RUN x\n", "1:1: PID901 RUN must come after a FROM", id="no FROM"),
        pytest.param(b"FROM a\0b\n", "1:1: PID902 bad/Dockerfile is not text: it contains NUL bytes", id="binary"),
        pytest.param(
            "FROM a\n" + "RUN x\n" * 9_000_000, "1:1: PID902 bad/Dockerfile is larger than 5 MB", id="over 50 MB"
        ),
        pytest.param(
            b'FROM debian:12\n# caf\xe9\nCMD ["app"]\n',
            "2:6: PID902 bad/Dockerfile is not UTF-8: pid1lint keeps the byte as it is",
            id="not UTF-8",
        ),
        pytest.param('FROM debian:12\nCMD echo "abc\n', "2:10: PID901 unclosed double quote", id="an unclosed quote"),
    ],
)
def test_a_bad_file_is_a_finding_and_the_others_are_checked(tmp_path: Path, data: bytes | str, finding: str) -> None:
    write(tmp_path / "bad" / "Dockerfile", data)
    write(tmp_path / "good" / "Dockerfile", GOOD)
    done = check(tmp_path, ".")
    assert done.stdout.splitlines() == [f"bad/Dockerfile:{finding}", GOOD_LINE]
    assert (done.returncode, done.stderr) == (1, "")


def test_a_link_that_leads_to_itself_is_a_finding(tmp_path: Path) -> None:
    write(tmp_path / "good" / "Dockerfile", GOOD)
    (tmp_path / "Dockerfile").symlink_to("Dockerfile")
    done = check(tmp_path, ".")
    assert done.stdout.splitlines() == [
        "Dockerfile:1:1: PID902 Dockerfile cannot be read: Too many levels of symbolic links",
        GOOD_LINE,
    ]


def test_a_script_that_is_a_link_out_of_the_context_is_a_finding_and_is_not_read(tmp_path: Path) -> None:
    write(tmp_path / "secret.sh", "#!/bin/sh\nserver\n", 0o755)
    write(tmp_path / "image" / "Dockerfile", SCRIPT)
    (tmp_path / "image" / "s.sh").symlink_to("../secret.sh")
    done = check(tmp_path, "--context", "image", "image/Dockerfile")
    assert done.stdout == "image/Dockerfile:2:6: PID902 s.sh is a link that leads nowhere in the build context\n"


def test_a_byte_order_mark_and_crlf_are_read_as_docker_reads_them(tmp_path: Path) -> None:
    write(tmp_path / "good" / "Dockerfile", b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert check(tmp_path, ".").stdout == GOOD_LINE + "\n"


def test_an_unclosed_quote_in_a_script_is_a_finding(tmp_path: Path) -> None:
    write(tmp_path / "Dockerfile", SCRIPT)
    write(tmp_path / "s.sh", '#!/bin/sh\necho "abc\nserver\n', 0o755)
    assert check(tmp_path, "Dockerfile").stdout == "s.sh:2:6: PID901 unclosed double quote\n"


def test_a_directory_of_that_name_is_searched_and_a_missing_file_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").mkdir()
    assert check(tmp_path, "Dockerfile").returncode == 0
    done = check(tmp_path, "nowhere/Dockerfile")
    assert done.stdout == "nowhere/Dockerfile:1:1: PID902 nowhere/Dockerfile does not exist\n"
    assert done.returncode == 1


def test_a_copy_from_above_the_context_is_one_of_the_context(tmp_path: Path) -> None:
    # As BuildKit has it, which cuts leading `..` off; nothing above the context is read.
    write(tmp_path / "bad" / "Dockerfile", "FROM debian:12\nCOPY ../../run.sh /s.sh\n" + SCRIPT.split("\n")[2] + "\n")
    write(tmp_path / "bad" / "run.sh", "#!/bin/sh\nserver --from-the-context\n")
    (tmp_path / "bad" / "run.sh").chmod(0o755)
    write(tmp_path / "run.sh", "#!/bin/sh\nexec server --from-above\n")
    assert "bad/run.sh:2:1: PID201" in check(tmp_path, "bad").stdout
