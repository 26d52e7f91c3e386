"""The launch model: who is PID 1, how each next process is started, and what the stop signal does."""

from pid1lint.launch.launch import Launch
from pid1lint.launch.model import analyse
from pid1lint.launch.path import Path
from pid1lint.launch.process import Call, Decision, Obstacle, Outcome, Process

__all__ = ["Call", "Decision", "Launch", "Obstacle", "Outcome", "Path", "Process", "analyse"]
