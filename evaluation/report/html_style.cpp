#include "evaluation/report/html.h"

namespace facemae {

// Two palettes by custom properties; the drawings use the same ones.
const char* const kReportStyle = R"css(
:root {
  color-scheme: light dark;
  --paper: #f6f7f9; --card: #ffffff; --ink: #1b2330; --soft: #5d6878; --line: #dfe4ea; --row: #f2f5f8;
  --released: #c8362e; --mated: #d98a12; --other: #6d7f96; --ceiling: #23806b; --chance: #5d6878;
  --alarm: #7d1a14; --alarm-paper: #fdecea; --alarm-line: #e2857d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #11151b; --card: #1a2029; --ink: #e7ebf1; --soft: #9aa6b6; --line: #2d3642; --row: #202834;
    --released: #ff7a70; --mated: #f2b04a; --other: #8d9fb8; --ceiling: #55c3a8; --chance: #9aa6b6;
    --alarm: #ffc9c4; --alarm-paper: #3a1613; --alarm-line: #8e3a33;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
.warning {
  background: var(--alarm-paper); color: var(--alarm); border-bottom: 2px solid var(--alarm-line);
  padding: 14px 24px; font-weight: 600; text-align: center;
}
main { max-width: 1240px; margin: 0 auto; padding: 28px 24px 64px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 20px; letter-spacing: -0.01em; }
h2 { font-size: 19px; margin: 40px 0 6px; }
h3 { font-size: 15px; margin: 0; }
p { margin: 4px 0 12px; color: var(--soft); max-width: 78ch; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(170px, 1fr)); gap: 12px; margin: 0; }
.facts div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px; }
.facts dt { color: var(--soft); font-size: 13px; }
.facts dd { margin: 0; font-size: 18px; font-weight: 600; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 8px 11px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { font-size: 13px; font-weight: 600; color: var(--soft); background: var(--row); }
tr:last-child td { border-bottom: 0; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 150px; }
td:first-child { font-weight: 600; }
td small { color: var(--soft); font-size: 12px; font-weight: 400; }
.prose th, .prose td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.bar { text-align: left; width: 182px; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(340px, 1fr)); gap: 16px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.card p { font-size: 13px; margin: 2px 0 8px; }
svg { display: block; max-width: 100%; }
svg text { fill: var(--soft); font-size: 11px; font-family: inherit; }
.own { --c: var(--released); } .mated { --c: var(--mated); } .other { --c: var(--other); }
.curve { fill: var(--c); fill-opacity: 0.22; stroke: var(--c); stroke-width: 1.5; stroke-linejoin: round; }
.axis { stroke: var(--line); stroke-width: 1; }
.track { fill: var(--row); } .value { fill: var(--released); }
.whisker { stroke: var(--ink); stroke-width: 1.5; }
.grid { stroke: var(--line); stroke-width: 0.5; } .leader { stroke: var(--line); stroke-width: 1; }
.point { fill: var(--released); }
.tick-chance { stroke: var(--chance); stroke-width: 2; stroke-dasharray: 2 2; }
.tick-ceiling { stroke: var(--ceiling); stroke-width: 3; }
.key { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 13px; color: var(--soft); margin: 6px 0 10px; }
.key span::before {
  content: ""; display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 6px;
  background: var(--c);
}
.key .ceiling { --c: var(--ceiling); } .key .chance { --c: var(--chance); }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(130px, 1fr)); gap: 12px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 8px; }
figure img { width: 100%; height: auto; border-radius: 6px; display: block; }
figcaption { font-size: 12px; color: var(--soft); padding-top: 6px; overflow-wrap: anywhere; }
@media print { body { background: none; } .scroll, .card, figure { break-inside: avoid; } }
)css";

}  // namespace facemae
