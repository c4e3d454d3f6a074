#!/usr/bin/env bash
# Everything that has to hold, one step after the other; the last line counts the tests.
# A step that fails does not hide what the next ones find.
set -uo pipefail
cd "$(dirname "$0")/.."
scripts/setup-tests.sh || exit 1
export PATH="$PWD/.tools/node/bin:$PATH"
# Tests run in several folders: a relative one would mean another in each.
[ -z "${CARGO_TARGET_DIR:-}" ] || CARGO_TARGET_DIR="$(realpath -m "$CARGO_TARGET_DIR")"

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
broken=()

step() {
  local name="$1"
  shift
  printf '\n── %s: %s\n' "$name" "$*"
  "$@" 2>&1 | tee -a "$log"
  [ "${PIPESTATUS[0]}" = 0 ] || broken+=("$name")
}

in_folder() { (cd "$1" && shift && "$@"); }

step format cargo fmt --all --check
step lint cargo clippy --workspace --all-targets --locked -- -D warnings
step binaries cargo build --workspace --bins --locked
step rust cargo test --workspace --locked --no-fail-fast
if [ -f runtime-client/package.json ]; then
  step client-types in_folder runtime-client npm run --silent check
  step client in_folder runtime-client npm test --silent
fi
step openapi in_folder tests/openapi npm test --silent
step browser in_folder tests/browser npm test --silent
step book node --test --test-concurrency=1 tests/book/*.test.mjs

# cargo test says "N passed; M failed", node's runner "pass N" and "fail N" after a sign.
count() { grep -oE "$1" "$log" | grep -oE '[0-9]+' | awk '{ sum += $1 } END { print sum + 0 }'; }
passed=$(($(count '^test result:.* [0-9]+ passed') + $(count '^(ℹ|#) pass [0-9]+')))
failed=$(($(count '; [0-9]+ failed;') + $(count '^(ℹ|#) fail [0-9]+')))

printf '\n'
if [ ${#broken[@]} -gt 0 ]; then
  printf 'failed: %s\n' "${broken[*]}"
  [ "$failed" -gt 0 ] || failed=${#broken[@]}
fi
printf '%s passed, %s failed\n' "$passed" "$failed"
[ ${#broken[@]} -eq 0 ]
