"""The rules: `rules/` beside this package in a checkout, `pid1lint/rules/` in an installed one."""

from __future__ import annotations

import os.path

_inside = os.path.splitext(os.path.abspath(__file__))[0]
_beside = os.path.join(os.path.dirname(os.path.dirname(_inside)), "rules")
__path__ = [_inside if os.path.isdir(_inside) else _beside]
