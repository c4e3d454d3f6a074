#!/usr/bin/env bash
# Two machines with a server each, a third with Redis, nginx in front: network namespaces of one Linux, so it wants root.
#   tests/machines/run.sh [SSBUILD SSSERVE]
# Deploys a build, replaces both programs one after the other, kills one, cuts Redis off, and says what 200 clients saw.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
root="$here/../.."
ssbuild="${1:-$root/target/debug/ssbuild}" ssserve="${2:-$root/target/debug/ssserve}"
work="$(mktemp -d)"
spaces=(ssm-one ssm-two ssm-redis ssm-front)
cleanup() {
  for space in "${spaces[@]}"; do
    for process in $(ip netns pids "$space" 2>/dev/null); do kill -9 "$process" 2>/dev/null || true; done
    ip netns del "$space" 2>/dev/null || true
  done
  ip link del ssm-bridge 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

ip link add ssm-bridge type bridge
ip link set ssm-bridge up
for n in "${!spaces[@]}"; do
  ip netns add "${spaces[$n]}"
  ip link add "ssm-out$n" type veth peer name eth0 netns "${spaces[$n]}"
  ip link set "ssm-out$n" master ssm-bridge up
  ip -n "${spaces[$n]}" addr add "10.66.0.$((n + 1))/24" dev eth0
  ip -n "${spaces[$n]}" link set eth0 up
  ip -n "${spaces[$n]}" link set lo up
done

# The app, twice: the second build is another one.
mkdir -p "$work"/app/app/{client,server,views}
cp "$here"/app.js "$work/app/app/server/app.js"
echo "SS.events.on('said', () => {}); exports.init = () => {};" > "$work/app/app/client/app.js"
echo '<!doctype html><html><head><SocketStream></head><body></body></html>' > "$work/app/app/views/app.html"
"$ssbuild" build "$work/app" --out "$work/first" --quiet
sed -i 's/^  version: .*/  version: () => 2,/' "$work/app/app/server/app.js"
"$ssbuild" build "$work/app" --out "$work/second" --quiet

ip netns exec ssm-redis redis-server --bind 10.66.0.3 --protected-mode no --save '' --dir "$work" --daemonize yes > /dev/null
declare -A pid
start() { # one|two, its number
  mkdir -p "$work/$1"
  [ -d "$work/$1/dist" ] || cp -r "$work/first" "$work/$1/dist"
  SS__HTTP__HOSTNAME="10.66.0.$2" SS__HTTP__TRUST_PROXY=true SS__REDIS__URL=redis://10.66.0.3:6379/0 SS__SERVER__STATE_DIR="$work/$1/state" \
    SS__LIMITS__CONNECTS_BURST=100000 SS__LIMITS__MESSAGES_BURST=100000 SS__LOG__LEVEL=1 \
    ip netns exec "ssm-$1" "$ssserve" "$work/$1/dist" --port 3000 > "$work/$1/log" 2>&1 &
  pid[$1]=$!
  for _ in $(seq 100); do ip netns exec ssm-front curl -sf -o /dev/null "http://10.66.0.$2:3000/" && return; sleep 0.1; done
  cat "$work/$1/log"; exit 1
}
start one 1
start two 2

cat > "$work/nginx.conf" <<NGINX
daemon off; pid $work/nginx.pid; error_log $work/nginx.log;
events { worker_connections 4096; }
http {
  access_log off;
  proxy_connect_timeout 2s;
  upstream talk { server 10.66.0.1:3000 max_fails=0; server 10.66.0.2:3000 max_fails=0; }
  server {
    listen 10.66.0.4:80;
    location / {
      proxy_pass http://talk;
      proxy_http_version 1.1;
      proxy_set_header Host \$http_host;
      proxy_set_header X-Forwarded-For \$remote_addr;
      proxy_set_header X-Forwarded-Proto \$scheme;
    }
    location = /_ss/socket {
      proxy_pass http://talk;
      proxy_http_version 1.1;
      proxy_set_header Upgrade \$http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_set_header Host \$http_host;
      proxy_set_header X-Forwarded-For \$remote_addr;
      proxy_set_header X-Forwarded-Proto \$scheme;
      proxy_read_timeout 120s;
    }
  }
}
NGINX
ip netns exec ssm-front nginx -e "$work/nginx.log" -c "$work/nginx.conf" &
sleep 1

ip netns exec ssm-front node "$here/clients.mjs" ws://10.66.0.4/_ss/socket 200 "$work/step" &
clients=$!
step() { echo "$1" > "$work/step.new"; mv "$work/step.new" "$work/step"; sleep "${2:-8}"; }
deploy() {
  cp -r "$work/second/public" "$work/second/builds" "$work/second/generations.json" "$work/$1/dist/"
  cp "$work/second/manifest.json" "$work/$1/dist/.manifest.new" && mv "$work/$1/dist/.manifest.new" "$work/$1/dist/manifest.json"
}
replace() { kill -TERM "${pid[$1]}"; wait "${pid[$1]}" || echo "$1 ended with $?"; start "$1" "$2"; }

step quiet 4
step "a new build on both"; deploy one; sleep 2; deploy two; sleep 4
step "the first program replaced" 0; replace one 1; sleep 8
step "the second program replaced" 0; replace two 2; sleep 8
step "the first killed" 0; kill -9 "${pid[one]}"; wait "${pid[one]}" 2>/dev/null || true; sleep 8
step "the first there again" 0; start one 1; sleep 4
step "Redis cut off for 5 s" 0; ip -n ssm-redis link set eth0 down; sleep 5; ip -n ssm-redis link set eth0 up; sleep 12
step end 4
wait "$clients"
