"""The program: `pid1lint`, and `python -m pid1lint`."""

from __future__ import annotations

from typing import NoReturn

from pid1lint import ends


def main() -> NoReturn:
    """The entry point; from the first moment on it ends where it is told to."""
    try:
        ends.heed()
        from pid1lint.cli import main as run

        run()
    except ends.EndedError as error:
        ends.finish(error.number)


if __name__ == "__main__":
    main()
