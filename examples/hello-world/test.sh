#!/bin/sh
# Serve the pages as the image does, and ask for one.
set -eu

busybox httpd -f -p 127.0.0.1:8080 -h www &
server=$!
trap 'kill "$server"' EXIT

for _ in 1 2 3 4 5; do
  page=$(busybox wget -q -O - http://127.0.0.1:8080/hello-world/ 2>/dev/null) && break
  sleep 0.1
done

case "$page" in
  *"Hello, world!"*) echo "ok: /hello-world answers" ;;
  *) echo "failed: /hello-world answers: $page" && exit 1 ;;
esac
