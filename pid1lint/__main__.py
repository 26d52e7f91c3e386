"""`python -m pid1lint`."""

from pid1lint.cli import main

if __name__ == "__main__":
    main()
