#!/bin/sh
# Renders the sample report in headless Chromium: fails on a console message of any kind, on a request for anything
# but the page, and when the page's last section is not in the rendered document.
# usage: report_browser_test.sh <report_sample program>; exit 77: no Chromium here.
set -eu
sample=$1
browser=
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null 2>&1; then browser=$name; break; fi
done
[ -n "$browser" ] || { echo "no Chromium on this machine: skipped"; exit 77; }

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
"$sample" "$work/page.html"

# render <name>: opens name.html; writes name.dom (the document), name.log (console) and name.net.json (network).
render() {
  timeout 50 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$work/profile" --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync --disable-default-apps --disable-extensions \
    --enable-logging=stderr --log-level=0 --log-net-log="$work/$1.net.json" --dump-dom "file://$work/$1.html" \
    >"$work/$1.dom" 2>"$work/$1.log"
}
# Console lines, and the addresses that a page from a file asked for (the browser itself calls home, too).
complaints() {
  grep -F 'CONSOLE' "$work/$1.log" || true
  grep -o 'site=file://;[^}]*}","url":"[a-z]*://[^"]*"' "$work/$1.net.json" | grep -v '"file://' | sort -u || true
}

# First a page with faults, so that silence below means something.
cat >"$work/faulty.html" <<'PAGE'
<!DOCTYPE html><html><head></head><body><script>console.error("planted")</script>
<img src="http://facemae.invalid/outside.png"/></body></html>
PAGE
render faulty
complaints faulty | grep -q planted || { echo "the check does not see console errors"; cat "$work/faulty.log"; exit 1; }
complaints faulty | grep -q 'facemae.invalid' || { echo "the check does not see requests"; exit 1; }

render page
grep -q 'picture 6' "$work/page.dom" || { echo "the page was not rendered"; cat "$work/page.log"; exit 1; }
found=$(complaints page)
if [ -n "$found" ]; then
  echo "the report page complained or asked for something from outside:"
  echo "$found"
  exit 1
fi
echo "rendered without a message or a request"
