"""Tests of deployments: how their files are read, judged and mended."""
