#!/bin/sh
# A headless Chromium for the tests of the HTML report: one on PATH, else Debian's package where we may install it.
set -eu

for name in chromium chromium-browser google-chrome google-chrome-stable; do
    if command -v "$name" > /dev/null; then
        echo "Browser: $(command -v "$name")" >&2
        exit 0
    fi
done

if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    echo "Browser: installing Debian's chromium" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq > /dev/null
    apt-get install -qq --no-install-recommends chromium > /dev/null
else
    echo "Browser: no chromium or google-chrome on PATH; the report's tests need one (Debian: sudo apt-get install chromium)." >&2
fi
