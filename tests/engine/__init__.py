"""Images with real programs, built and stopped by podman, and what is foreseen of them: three answers that must agree.

`make engine` runs all of them; the tests run those that need nothing but busybox.
"""
