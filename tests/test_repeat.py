"""A launch that starts like another one is not explored again, and is all the same what it is by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pid1lint import MemoryContext, trace
from pid1lint.launch import Launch, repeat
from pid1lint.launch.explore import explore

SCRIPT = """\
#!/bin/bash
set -e
trap 'kill -TERM "$CHILD"' TERM
if [ "$DEBUG" = yes ]; then
  set -x
fi
for file in /etc/init.d/*.sh; do
  . "$file"
done
case "$1" in
  -*) set -- app "$@" ;;
esac
if [ "$1" = app ]; then
  app "$@" &
  CHILD=$!
  wait "$CHILD"
fi
exec "$@"
"""
DOCKERFILE = """\
FROM debian:12
ENV APP_VERSION=1 DEBUG=no
COPY --chmod=755 entrypoint.sh /
ENTRYPOINT ["/entrypoint.sh"]
CMD ["app", "--serve"]
"""


@pytest.fixture(autouse=True)
def explored(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The programs whose launches were explored, in order; however short, each is kept."""
    monkeypatch.setattr(repeat, "_LEAST", 0)
    found: list[str] = []

    def counted(lookup, start, signal):  # type: ignore[no-untyped-def]
        found.append(start.argv[0].value)
        return explore(lookup, start, signal)

    monkeypatch.setattr("pid1lint.launch.model.explore", counted)
    repeat.forget()
    yield found
    repeat.forget()


class Folder(MemoryContext):
    at = ""

    def display(self, path: str) -> str:
        return f"{self.at}{path}"


def launched(dockerfile: str = DOCKERFILE, *, at: str = "2/", **files: str) -> Launch:
    """The launch of a Dockerfile in a folder of its own; `entrypoint` is its script, other files by their name."""
    texts = {"entrypoint": SCRIPT, **files}
    context = Folder({f"{name}.sh": text for name, text in texts.items()})
    context.at = at
    (launch,) = trace(dockerfile, context, path=f"{at}Dockerfile")
    return launch


def by_itself(dockerfile: str, **files: str) -> Launch:
    repeat.forget()
    return launched(dockerfile, **files)


def places(launch: Launch) -> set[str]:
    """The files that a launch's processes were started in, traps set and decisions taken."""
    processes = [process for path in launch.paths if path.tree is not None for process in path.tree.walk()]
    found = [process.place for process in processes] + [trap.place for path in launch.paths for trap in path.traps]
    found += [decision.place for path in launch.paths for decision in path.decisions]
    return {place.source.path for place in found if place is not None}


ALIKE = [
    pytest.param(DOCKERFILE, {}, id="the same in another folder"),
    pytest.param(DOCKERFILE.replace("APP_VERSION=1", "APP_VERSION=2"), {}, id="a variable that nothing reads"),
    pytest.param(DOCKERFILE.replace("COPY", "RUN apt-get update\n\nCOPY"), {}, id="a RUN that brings nothing"),
    pytest.param("# syntax=docker/dockerfile:1\n\n" + DOCKERFILE, {}, id="comments above"),
    pytest.param(DOCKERFILE.replace("COPY --chmod=755 entry", "COPY --chmod=755 ./entry"), {}, id="another spelling"),
    pytest.param(DOCKERFILE.replace("debian:12", "debian:12-slim"), {}, id="another tag of the base"),
    pytest.param(DOCKERFILE + 'LABEL version="2"\n', {}, id="a label behind"),
]
OTHERWISE = [
    pytest.param(DOCKERFILE, {"entrypoint": SCRIPT.replace("kill -TERM", "kill -INT")}, id="another script"),
    pytest.param(DOCKERFILE.replace("DEBUG=no", "DEBUG=yes"), {}, id="a variable that the script reads"),
    pytest.param(DOCKERFILE.replace(" DEBUG=no", ""), {}, id="a variable that is not set any more"),
    pytest.param(DOCKERFILE.replace("--serve", "--help"), {}, id="other arguments"),
    pytest.param(DOCKERFILE.replace("755", "644"), {}, id="no execute bit"),
    pytest.param(DOCKERFILE + "STOPSIGNAL SIGINT\n", {}, id="another stop signal"),
    pytest.param(DOCKERFILE + "WORKDIR /srv\n", {}, id="another working directory"),
    pytest.param(DOCKERFILE + "USER app\n", {}, id="another user"),
    pytest.param(DOCKERFILE + "COPY --chmod=755 app.sh /usr/bin/app\n", {"app": "#!/bin/sh\ndaemon\n"}, id="an app"),
    pytest.param(DOCKERFILE + "COPY a.sh /etc/init.d/\n", {"a": "exec sleep 1\n"}, id="a file that a pattern finds"),
    pytest.param(DOCKERFILE.replace("debian:12", "scratch"), {}, id="another base"),
    pytest.param(DOCKERFILE.replace('["app", "--serve"]', "app --serve"), {}, id="shell form"),
]


@pytest.mark.parametrize(("dockerfile", "files"), ALIKE)
def test_what_starts_alike_is_explored_once_and_says_the_same_of_its_own_files(
    dockerfile: str, files: dict[str, str], explored: list[str]
) -> None:
    launched(at="1/")
    launch = launched(dockerfile, **files)
    assert explored == ["/entrypoint.sh"]
    assert places(launch) == {"2/Dockerfile", "2/entrypoint.sh"}
    assert launch.paths == by_itself(dockerfile, **files).paths


@pytest.mark.parametrize(("dockerfile", "files"), OTHERWISE)
def test_what_may_start_otherwise_is_explored_by_itself(
    dockerfile: str, files: dict[str, str], explored: list[str]
) -> None:
    launched(at="1/")
    launch = launched(dockerfile, **files)
    assert explored[1:]
    assert launch.paths == by_itself(dockerfile, **files).paths


def test_a_command_is_still_known_by_the_word_that_runs_it(explored: list[str]) -> None:
    dockerfile = 'FROM debian:12\nCMD ["sh", "-c", "trap : TERM; app & wait"]\n'
    launched(dockerfile, at="1/")
    launch = launched("\n" + dockerfile)
    assert explored == ["sh"]
    assert launch.cmd is not None and launch.tree is not None
    word = launch.shell_word(launch.tree)
    assert word is not None and word[0] is launch.image.cmd and word[1] == 2


def test_what_a_sentence_says_of_one_file_is_not_said_of_another(explored: list[str]) -> None:
    script = "#!/bin/bash\nwhile true; do\n  if [ -e /done ]; then exit 0; fi\n  poll\ndone &\nwait\n"
    one, other = launched(at="1/", entrypoint=script), launched(entrypoint=script)
    for launch, folder in ((one, "2/"), (other, "1/")):
        assert not any(folder in path.why or any(folder in o.reason for o in path.obstacles) for path in launch.paths)


def test_no_more_is_kept_than_the_last_launches(explored: list[str]) -> None:
    for at in range(repeat._MOST_KEPT + 10):
        launched(f'FROM debian:12\nCMD ["sh", "-c", "app{at} & wait"]\n')
    assert len(repeat._KEPT) == repeat._MOST_KEPT
    for at in range(repeat._MOST_ALIKE + 10):
        launched(entrypoint=f"{SCRIPT}# {at}\n")
    assert max(map(len, repeat._KEPT.values())) == repeat._MOST_ALIKE
