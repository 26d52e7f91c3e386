"""The rules, one a file; shipped as `pid1lint.rules`.

To add one, write a file named after it (`missing_exec.py` is the rule missing-exec) with one function under
`@rule(code, severity)` whose docstring is its page. It stands in no list: the registry walks this folder. The page's
notation, and what its tests check, are described in CONTRIBUTING.md.
"""
