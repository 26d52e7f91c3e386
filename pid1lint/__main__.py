"""The program: `pid1lint`, and `python -m pid1lint`."""

from __future__ import annotations

from pid1lint import ends

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """The entry point; from the first moment on it ends where it is told to."""
    try:
        ends.heed()
        from pid1lint.cli import main as run

        run()
    except BaseException:
        if number := ends.told():
            ends.finish(number)
        raise


if __name__ == "__main__":
    main()
