#!/usr/bin/env bash
# The chat app as it would be deployed: release binaries, a production build, served on one port.
set -euo pipefail
cd "$(dirname "$0")/.."
port="${PORT:-3000}"
target="${CARGO_TARGET_DIR:-target}"
app=testdata/apps/chat

cargo build --release --locked -p ssbuild -p ssbuild-server
"$target/release/ssbuild" build "$app" --env production --out "$app/dist"
printf '\nThe chat is at http://localhost:%s (Ctrl-C ends it)\n' "$port"
exec "$target/release/ssserve" "$app/dist" --port "$port"
