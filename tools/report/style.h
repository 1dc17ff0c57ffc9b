// SPDX-License-Identifier: Apache-2.0
// The style sheet of report.html. Internal to tools/report.
#pragma once

namespace chiasm {

// Blue, vermilion and green are told apart under the common colour-vision deficiencies, and all colours of lines keep
// at least 4.5:1 contrast to either background. Nine colours are not told apart by everybody: lines differ by dash too,
// and carry their names. Rules of charts are one line each and start with ".chart ": svg_page.cpp takes them.
inline constexpr const char* kReportStyle = R"(
:root { color-scheme: light dark; --page: #ffffff; --card: #f5f6f8; --ink: #1a1e23; --soft: #59626d; --grid: #e1e5ea;
  --axis: #9aa3ad; --s1: #0b5fbf; --s2: #b8480a; --s3: #08734f; --s4: #8b3a8f; --s5: #7a5c00; --s6: #00707d;
  --s7: #a8123e; --s8: #5a4fc4; --s9: #4d5560; --muted: #b4bcc6; --span: #eef3fa; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14171a; --card: #1d2126; --ink: #e8eaed; --soft: #a0a9b4; --grid: #2b3138; --axis: #68727d;
    --s1: #6fb2ff; --s2: #ff9d5c; --s3: #4fcfa3; --s4: #dd94e0; --s5: #d9b540; --s6: #4fc6d6;
    --s7: #ff8fa8; --s8: #a9a0ff; --s9: #b7bfc9; --muted: #56606b; --span: #1b2430; } }
@media print {
  :root { color-scheme: light; --page: #ffffff; --card: #ffffff; --ink: #000000; --soft: #444444; --grid: #dddddd;
    --axis: #777777; --s1: #0b5fbf; --s2: #b8480a; --s3: #08734f; --s4: #8b3a8f; --s5: #7a5c00; --s6: #00707d;
    --s7: #a8123e; --s8: #5a4fc4; --s9: #4d5560; --muted: #b4bcc6; --span: #f2f5fa; }
  section, .example, .score { break-inside: avoid; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0; letter-spacing: -0.01em; }
h2 { font-size: 19px; margin: 0 0 4px; }
h3 { font-size: 16px; margin: 24px 0 8px; }
section { margin-top: 44px; }
p { margin: 0 0 12px; max-width: 72ch; }
.lead, .about { color: var(--soft); }
.lead { margin-top: 6px; font-size: 17px; }
.scores { display: flex; flex-wrap: wrap; gap: 14px; margin-top: 28px; }
.score { background: var(--card); border: 1px solid var(--grid); border-radius: 10px; padding: 14px 20px; min-width: 170px; }
.score b { display: block; font-size: 28px; line-height: 1.25; font-weight: 650; font-variant-numeric: tabular-nums; }
.score span { display: block; color: var(--soft); font-size: 14px; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); gap: 12px 32px; }
.wide { max-width: 900px; }
svg.chart { display: block; width: 100%; height: auto; font-size: 12px; font-variant-numeric: tabular-nums; }
.chart text { fill: var(--ink); }
.chart .tick, .chart .note { fill: var(--soft); }
.chart .name { fill: var(--ink); font-weight: 600; }
.chart .middle { text-anchor: middle; }
.chart .end { text-anchor: end; }
.chart .note { paint-order: stroke; stroke: var(--page); stroke-width: 4px; stroke-linejoin: round; }
.chart .label { font-weight: 600; }
.chart .grid { stroke: var(--grid); }
.chart .axis { stroke: var(--axis); }
.chart .guide { stroke: var(--soft); stroke-dasharray: 2 4; }
.chart .span { fill: var(--span); }
.chart .s1 { color: var(--s1); }
.chart .s2 { color: var(--s2); }
.chart .s3 { color: var(--s3); }
.chart .s4 { color: var(--s4); }
.chart .s5 { color: var(--s5); }
.chart .s6 { color: var(--s6); }
.chart .s7 { color: var(--s7); }
.chart .s8 { color: var(--s8); }
.chart .s9 { color: var(--s9); }
.chart .ink { color: var(--soft); }
.chart .muted { color: var(--muted); }
.chart polyline { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.chart polyline.s2 { stroke-dasharray: 6 4; }
.chart polyline.s3 { stroke-dasharray: 2 4; }
.chart polyline.s4 { stroke-dasharray: 10 4; }
.chart polyline.s5 { stroke-dasharray: 10 4 2 4; }
.chart polyline.s6 { stroke-dasharray: 4 3; }
.chart polyline.s7 { stroke-dasharray: 14 4 2 4 2 4; }
.chart polyline.s8 { stroke-dasharray: 1 3; }
.chart polyline.s9 { stroke-dasharray: 6 3 6 3 1 3; }
.chart polyline.dotted { stroke-dasharray: 0.1 6; stroke-width: 3.5; }
.chart line.join.dotted { stroke-dasharray: 2 5; }
.chart polyline.dashed { stroke-dasharray: 16 6; stroke-width: 3.5; stroke-linecap: butt; }
.chart polyline.muted { stroke-width: 1; }
.chart polyline.front { color: var(--axis); stroke-width: 1.5; stroke-dasharray: 5 4; }
.chart .join { stroke: currentColor; stroke-width: 1.5; }
.chart .error { stroke: currentColor; stroke-width: 1; }
.chart .leader { stroke: currentColor; stroke-width: 0.75; }
.chart .band { fill: currentColor; opacity: 0.2; }
.chart circle { fill: currentColor; }
.chart circle.hollow { fill: var(--page); stroke: currentColor; stroke-width: 1.75; }
.chart .label { fill: currentColor; }
.chart .legend { fill: var(--soft); }
ul.lines { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 250px), 1fr)); gap: 2px 16px;
  max-height: 172px; overflow-y: auto; margin: 0 0 16px; padding: 10px 14px; list-style: none; font-size: 14px;
  border: 1px solid var(--grid); border-radius: 10px; }
ul.lines li { overflow-wrap: anywhere; }
ul.lines svg.chart { display: inline-block; width: 40px; height: 12px; margin-right: 10px; vertical-align: middle; }
.examples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 370px), 1fr)); gap: 16px; margin-top: 16px; }
.example { border: 1px solid var(--grid); border-radius: 10px; padding: 14px; }
.example header { display: flex; gap: 14px; align-items: center; }
.example img { width: 84px; height: 84px; object-fit: contain; image-rendering: pixelated; border-radius: 6px;
  border: 1px solid var(--grid); background: #000000; }
.example svg { margin-top: 12px; }
.example h3 { margin: 0; font-size: 16px; }
.example p { margin: 2px 0 0; font-size: 14px; color: var(--soft); }
.example p.wrong { color: var(--s2); }
.charts + h2 { margin-top: 36px; }
.scroll { overflow-x: auto; }
.charts + table { margin-top: 16px; }
.matrices { display: flex; flex-wrap: wrap; gap: 20px; margin: 12px 0; }
figure { margin: 0; }
figure img { display: block; width: 200px; height: 200px; image-rendering: pixelated; border: 1px solid var(--grid); }
figure img.ramp { width: 200px; height: 14px; }
figcaption { font-size: 14px; color: var(--soft); max-width: 200px; overflow-wrap: anywhere; }
table { border-collapse: collapse; font-size: 14px; }
th, td { text-align: left; vertical-align: top; padding: 5px 28px 5px 0; border-bottom: 1px solid var(--grid); }
th { font-weight: 500; color: var(--soft); white-space: nowrap; }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
table.numbers td:not([colspan]) { white-space: nowrap; }
table.numbers th, table.numbers td { padding-right: 20px; }
@media print { ul.lines { max-height: none; } }
footer { margin-top: 48px; color: var(--soft); font-size: 14px; }
)";

}  // namespace chiasm
