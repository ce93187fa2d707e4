# Counts tests in the JUnit files that `ctest --output-junit` writes: one count per GoogleTest test where the program
# printed GoogleTest's summary (of several ranks, rank 0 prints), one per CTest entry otherwise.
# Prints "failed NAME" and "skipped NAME: REASON" lines, then "total PASSED FAILED SKIPPED".
function plain(text) {
  gsub(/&quot;/, "\"", text); gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&amp;/, "\\&", text)
  return text
}
function attribute(line, name) {
  if (!match(line, name "=\"[^\"]*\"")) return ""
  return plain(substr(line, RSTART + length(name) + 2, RLENGTH - length(name) - 3))
}
function forget() { passed = failed = skipped = ok = summary = 0; message = reason = ""; expect = 0 }
function close_entry() {
  if (status == "notrun" && message ~ /^SKIP_/) {
    total_skipped++; print "skipped " name ": " (reason ? reason : "see its output")
  } else if (status == "disabled") {
    total_skipped++; print "skipped " name ": disabled"
  } else if (status == "run") {
    total_passed += summary ? passed : 1
    total_skipped += skipped
  } else {  # failed, crashed, timed out, or never started
    total_passed += summary ? passed : ok
    total_skipped += skipped
    if (!summary || !failed) { failed = 1; print "failed " name (message ? ": " message : "") }
    total_failed += failed
  }
}
{ sub(/^\t*<system-out>/, "") }
/<testcase / { name = attribute($0, "name"); status = attribute($0, "status"); forget() }
/<(failure|skipped) message=/ { message = attribute($0, "message") }
/^SKIP: / { reason = plain(substr($0, 7)) }
/^\[       OK \]/ { ok++ }
/^\[  PASSED  \] [0-9]+ test/ { passed += $4; summary = 1 }
/^\[  SKIPPED \] [0-9]+ test/ { skipped += $4; listing = 1 }
/^\[  FAILED  \] [0-9]+ test/ { failed += $4; summary = 1 }
/^  YOU HAVE [0-9]+ DISABLED TEST/ { skipped += $3; print "skipped " name ": " $3 " disabled" }
# GoogleTest lists names after the summary and says why where it happened: "file:line: Skipped", then the reason.
/: Skipped$/ { expect = 1; why = ""; next }
expect == 1 { why = plain($0); expect = 0 }
/^\[  SKIPPED \] [A-Za-z_].* \([0-9]+ ms\)$/ { print "skipped " $4 ": " why; why = "" }
/^\[  FAILED  \] [A-Za-z_].*[^)]$/ && summary { print "failed " name " " $4 }
/<\/testcase>/ { close_entry() }
END { printf "total %d %d %d\n", total_passed, total_failed, total_skipped }
