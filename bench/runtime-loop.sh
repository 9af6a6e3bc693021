#!/bin/sh
# The floor, a loop as one would write it with some care: sh runtime-loop.sh each|kept PREFIX BACKEND SOCKET
# Each change of a key below PREFIX becomes one line for HAProxy's runtime socket. There is no file, no check, no proof;
# it does not see what was there before it began, and a reload forgets all that it has done.
# "each" starts socat for each change; "kept" keeps one, with HAProxy's prompt, for as long as HAProxy lets it.
set -eu
how=$1 prefix=$2 backend=$3 socket=$4

changes() {
  # Ends together with this shell, however that ends.
  exec setpriv --pdeathsig KILL etcdctl watch --prefix "$prefix"
}

# Puts the commands for one change into $line. A value is HOST:PORT or HOST:PORT weight=N.
commands() {
  server=$backend/${key##*/} weight=1
  case $value in *weight=*) weight=${value##*weight=} ;; esac
  case $event in
    PUT) line="add server $server ${value%% *} weight $weight check inter 2000 rise 2 fall 5;enable health $server;enable server $server;set server $server weight $weight" ;;
    DELETE) line="set server $server state maint;del server $server" ;;
  esac
}

case $how in
  each)
    changes | while read -r event && read -r key && read -r value; do
      commands
      socat - "UNIX-CONNECT:$socket" << END
$line
END
    done
    ;;
  kept)
    changes | {
      echo prompt
      while read -r event && read -r key && read -r value; do
        commands
        echo "$line"
      done
    } | socat - "UNIX-CONNECT:$socket"
    ;;
esac
