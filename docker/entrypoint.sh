#!/bin/sh
# Entry point of the image. HAProxy becomes process 1: signals to the container reach it, its end is the container's
# end, and it serves on whatever happens to Rollcall, which a loop in the background keeps running beside it.
#
#   docker run IMAGE                     HAProxy and Rollcall
#   docker run IMAGE -dM                 the same, with more options for HAProxy
#   docker run IMAGE rollcall check      this command and nothing else
set -eu

case "${1:-}" in
  "" | -*) ;;
  *) exec "$@" ;;
esac

config=${ROLLCALL_HAPROXY_CONFIG:-/etc/haproxy/haproxy.cfg}
socket=${ROLLCALL_HAPROXY_SOCKET:-/run/haproxy/admin.sock}
master=${ROLLCALL_HAPROXY_MASTER_SOCKET:-/run/haproxy/master.sock}
builtin=/opt/rollcall/templates/haproxy.cfg.eta
EX_CONFIG=78 # Rollcall's exit code for wrong options.

say() { echo "entrypoint: $*" >&2; }

# A process 1 without handlers would sleep through "docker stop"; HAProxy brings its own.
trap 'exit 0' TERM INT USR1

for path in "$config" "$socket" "$master"; do
  folder=$(dirname "$path")
  [ -d "$folder" ] && [ -w "$folder" ] && continue
  say "user $(id -u), group $(id -g) cannot write to $folder. Mount a volume or a tmpfs there that this user may write to, such as --tmpfs $folder:uid=$(id -u),gid=$(id -g)"
  exit 1
done
# Left by a container that was killed; HAProxy cannot replace a socket of another user.
rm -f "$socket" "$master"
# States of servers are for reloads alone; these were left by a Rollcall that was killed in one.
[ ! -e "$config.servers" ] || echo 1 > "$config.servers" || :

write_empty() { rollcall render --write --from /dev/null "$@"; }

# HAProxy needs a file to start with: the last one that ran, else one without servers, which answers 503.
first_config() {
  if [ -e "$config" ]; then
    timeout 60 haproxy -c -f "$config" > /dev/null && return
    say "haproxy -c refuses $config (above); it is kept as $config.refused, and HAProxy starts without servers"
    cp "$config" "$config.refused"
  fi
  code=0
  write_empty || code=$?
  [ "$code" -ne 0 ] || return 0
  [ "$code" -ne "$EX_CONFIG" ] || exit "$EX_CONFIG"
  say "no configuration could be made with your template (above): HAProxy starts with the built-in one. MEND THE TEMPLATE"
  write_empty --template "$builtin" && return
  say "no configuration could be written to $config (above), so HAProxy cannot start"
  exit 1
}

# Runs a command to its end; `code` is its exit code then, `child` its pid until then.
run() {
  "$@" &
  child=$!
  code=0
  wait "$child" || code=$?
}

keep_rollcall_running() {
  # HAProxy is gone then. Rollcall may be ended at any moment without harm, and nothing is left for it to do.
  trap 'kill -KILL "$child"; exit 0' TERM
  # When memory runs short, the kernel shall end Rollcall, which comes back, and not HAProxy.
  echo 500 2>/dev/null > /proc/self/oom_score_adj || :
  delay=1
  while :; do
    started=$(date +%s)
    run rollcall run
    [ $(($(date +%s) - started)) -lt 60 ] || delay=1
    if [ "$code" -eq "$EX_CONFIG" ]; then
      say "Rollcall does not run: its options are wrong (above). HAProxy serves on with what it has. Next try in 30 s"
      run sleep 30
      continue
    fi
    say "Rollcall ended with exit code $code. HAProxy serves on. Next start in $delay s"
    run sleep "$delay"
    delay=$((delay < 5 ? delay * 2 : 10))
  done
}

# HAProxy's master waits for all of its children before it ends, after a soft stop and also when a worker has crashed.
# We are its children too: without this, the container of a crashed HAProxy would run on with nothing in it.
end_with_haproxy() {
  # While HAProxy reads its configuration there is no worker. If that fails, it ends by itself.
  until has_worker || [ -S "$socket" ]; do sleep 0.1; done
  # Twice, since the list of processes may be read while one worker takes over from another.
  while sleep 0.5; do has_worker || has_worker || break; done
  kill "$1"
}

# $$ is the pid of this script, and so HAProxy's, also in the background.
has_worker() {
  for process in /proc/[0-9]*; do
    { read -r _ name _ parent _ < "$process/stat"; } 2>/dev/null || continue
    [ "$name $parent" != "(haproxy) $$" ] || return 0
  done
  return 1
}

first_config
keep_rollcall_running &
end_with_haproxy $! &
exec haproxy -W -db -S "$master,level,admin" -f "$config" "$@"
