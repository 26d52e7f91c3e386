"""A real engine makes of Compose services what is foreseen of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pid1lint import deployed
from pid1lint.deploy.project import Project
from pid1lint.image.context import BuildContext
from tests.deploy import engine
from tests.engine.podman import environment, unavailable

APP = """\
#!/bin/sh
trap 'echo finished; exit 0' TERM QUIT
echo started
while true; do sleep 0.1 & wait $!; done
"""
PROGRAMS = {"bin/server": APP}
FILES = {
    "entry.sh": '#!/bin/sh\nset -e\nexec "$@"\n',
    "no-exec.sh": '#!/bin/sh\nset -e\n"$@"\ntrue\n',
    "mode.sh": '#!/bin/sh\nif [ "$MODE" = plain ]; then\n  server\n  exit\nfi\nexec server\n',
}
DOCKERFILE = """\
FROM busybox:1.36
COPY --chmod=755 entry.sh no-exec.sh mode.sh /
ENTRYPOINT ["/entry.sh"]
CMD ["server"]
"""
SLEEPS = "command: [sh, -c, 'echo started && exec sleep infinity']"
SERVICES = {
    "as the image is": ("", "graceful"),
    "a command": ("command: server --verbose", "graceful"),
    "a command in a shell": ("command: sh -c 'server | cat'", "hang"),
    "a command in a shell with exec": ("command: sh -c 'cd /tmp && exec server'", "graceful"),
    "an entrypoint, which drops the command": ("entrypoint: [server]", "graceful"),
    "an entrypoint without exec": ("entrypoint: /no-exec.sh\ncommand: server", "hang"),
    "the same below an init": ("entrypoint: /no-exec.sh\ncommand: server\ninit: true", "abrupt"),
    "an init in front": ("init: true", "graceful"),
    "no handler": (SLEEPS, "hang"),
    "no handler, below an init": (f"{SLEEPS}\ninit: true", "abrupt"),
    "no handler, and not PID 1": (f"{SLEEPS}\npid: host", "abrupt"),
    "a signal that the app handles": ("stop_signal: SIGQUIT", "graceful"),
    "a signal that kills": ("stop_signal: KILL", "abrupt"),
    "a script mounted over the image's": ("volumes: ['./no-exec.sh:/entry.sh']", "hang"),
    "a pipeline in a list": ("command: [sh, -c, 'server | cat']\ninit: true", "abrupt"),
    "no entrypoint": ("entrypoint: []\ncommand: [server]", "graceful"),
    "a script whose way nothing decides": ("entrypoint: /mode.sh", "graceful"),
    "a variable that decides which way a script goes": ("entrypoint: /mode.sh\nenvironment: {MODE: plain}", "hang"),
    "a variable, below an init": ("entrypoint: /mode.sh\nenvironment: [MODE=plain]\ninit: true", "abrupt"),
    "a folder to work in": ("working_dir: /tmp\nentrypoint: ['../entry.sh', server]", "graceful"),
}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Podman's store, and the project's files."""
    if reason := unavailable(engine.NEEDED):
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("engine")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(folder).items():
            patch.setenv(name, value)
        yield folder
        engine.podman("rm", "--all", "--force", "--time", "0")
        engine.podman("rmi", "--all", "--force")


@pytest.mark.oracle
@pytest.mark.parametrize(("settings", "outcome"), SERVICES.values(), ids=SERVICES)
def test_podman_makes_of_a_service_what_is_foreseen(settings: str, outcome: str, work: Path) -> None:
    body = "".join(f"    {line}\n" for line in ("build: .", *settings.split("\n")) if line)
    files = {**FILES, "Dockerfile": DOCKERFILE, "compose.yaml": f"services:\n  web:\n{body}"}
    context = BuildContext.of(files, dict.fromkeys(FILES, 0o755))
    (launch,) = deployed.judge("compose.yaml", Project(context), (), deployed.Wanted()).launches
    assert launch.image.deployment is not None
    project = work / "project"
    project.mkdir(exist_ok=True)
    for name, text in FILES.items():
        (project / name).write_text(text)
        (project / name).chmod(0o755)
    name = engine.image(work, {**FILES, **PROGRAMS}, '["/entry.sh"]', '["server"]')
    run = engine.stopped(launch.image.deployment, name, project)
    # A sleep has nothing to lose, whichever way it ends.
    foreseen = "abrupt" if launch.outcome == "graceful" and settings.startswith(SLEEPS) else launch.outcome
    assert (foreseen, run.outcome) == (outcome, outcome), run
