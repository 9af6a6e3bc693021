#!/bin/sh
# What one writes without thinking much: etcdctl watch --prefix PREFIX -- sh rewrite.sh PREFIX HEAD CONFIG PID
# Reads all servers again, writes HAProxy's file in place and signals. Nothing is checked, proven or repeated.
set -eu
prefix=$1 head=$2 config=$3 pid=$4
{
  cat "$head"
  etcdctl get --prefix "$prefix" | while read -r key && read -r value; do
    echo "    server ${key##*/} $value check inter 2000 rise 2 fall 5"
  done
} > "$config"
kill -HUP "$pid"
