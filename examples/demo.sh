#!/bin/sh
# What `make demo` shows: one service in three images, what is wrong with the second, and how --fix repairs it.
set -eu
cd "$(dirname "$0")"

say() {
  printf '\n\033[1m%s\033[0m\n\n' "$*"
}

run() {
  printf '$ %s\n' "$*"
  "$@" || true
}

say 'Who is PID 1, and who gets the stop signal?'
for image in java-exec-form java-script java-dumb-init; do
  run pid1lint trace "$image/Dockerfile"
  echo
done

say 'What is wrong, and where?'
run pid1lint --exit-zero .

say 'What would --fix do?'
run pid1lint --diff --exit-zero java-script

say 'After --fix, in a copy:'
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R java-script "$copy"
cd "$copy/java-script"
run pid1lint --fix Dockerfile
run pid1lint trace Dockerfile
