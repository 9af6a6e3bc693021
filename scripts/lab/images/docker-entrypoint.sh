#!/bin/sh
# Same behaviour as the official image's entry point: an option or "haproxy" runs in master-worker mode.
set -e
if [ "${1#-}" != "$1" ]; then
  set -- haproxy "$@"
fi
if [ "$1" = haproxy ]; then
  shift
  set -- haproxy -W -db "$@"
fi
exec "$@"
