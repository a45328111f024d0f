"""The style of every page: one sheet, no fonts or pictures from elsewhere.

Invariant: nothing in it loads anything, it follows the reader's light or dark setting, and whatever is wider than a
phone scrolls in a frame of its own, never the page.
"""

from __future__ import annotations

SERIES = 8
"""How many colours there are for series in charts; they begin again after that."""

CSS = """
:root {
  color-scheme: light dark;
  --ground: #fbfaf8; --card: #ffffff; --ink: #1d2126; --quiet: #5c6570; --line: #e3e0da; --soft: #f2f0ec;
  --accent: #1f5fa6; --good: #1b7043; --good-bg: #e3f3ea; --bad: #a52a35; --bad-bg: #fbe7e8;
  --warn: #8a5300; --warn-bg: #fbf0db; --note: #1f5fa6; --note-bg: #e5eef9;
  --s0: #2467b0; --s1: #b8560b; --s2: #1f7d50; --s3: #8b40a3; --s4: #b03340; --s5: #0e7888;
  --s6: #7d6000; --s7: #5d6672;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --card: #1c2026; --ink: #e6e8eb; --quiet: #a2abb6; --line: #323841; --soft: #252a31;
    --accent: #86b7f2; --good: #7fd3a5; --good-bg: #173425; --bad: #f2959d; --bad-bg: #40191f;
    --warn: #ebb866; --warn-bg: #3b2a0d; --note: #86b7f2; --note-bg: #172c45;
    --s0: #7fb4f1; --s1: #f0a463; --s2: #72d09d; --s3: #d09fe4; --s4: #f2909a; --s5: #5fc7d7;
    --s6: #dabb50; --s7: #acb6c2;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-behavior: smooth; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body {
  margin: 0; background: var(--ground); color: var(--ink); line-height: 1.55;
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
}
.sheet { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1, h2, h3, h4 { line-height: 1.25; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: 1.9rem; letter-spacing: -.015em; margin: 0 0 .35rem; }
h2 { font-size: 1.3rem; margin: 0 0 .9rem; }
h3 { font-size: 1.05rem; margin: 1.4rem 0 .5rem; }
p { margin: .5rem 0 1rem; max-width: 44rem; overflow-wrap: anywhere; }
a { color: var(--accent); text-underline-offset: .15em; }
a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
small, .quiet, caption, figcaption, dt { color: var(--quiet); }
code, kbd, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: .9em; }
.lead { color: var(--quiet); margin: 0 0 2rem; }
section { margin: 2.75rem 0 0; scroll-margin-top: 1rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .35rem 1.1rem; list-style: none; margin: 0; padding: 0; }

.scroll { overflow-x: auto; -webkit-overflow-scrolling: touch; margin: .75rem 0 1.25rem; border: 1px solid var(--line);
  border-radius: .6rem; background: var(--card); }
table { border-collapse: collapse; width: 100%; font-size: .94rem; }
caption { text-align: start; padding: .7rem .9rem; }
th, td { text-align: start; vertical-align: top; padding: .5rem .9rem; border-bottom: 1px solid var(--line);
  unicode-bidi: isolate; min-width: 4rem; max-width: 26rem; overflow-wrap: break-word; }
tbody tr:last-child > * { border-bottom: 0; }
thead th { color: var(--quiet); font-weight: 600; font-size: .84rem; white-space: nowrap; background: var(--soft); }
tbody th { font-weight: 600; }
th.number, .number { text-align: end; font-variant-numeric: tabular-nums; white-space: nowrap; }
.day { white-space: nowrap; }

dl { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .4rem 1.4rem; margin: .75rem 0 1.25rem; }
dt { font-size: .92rem; }
dd { margin: 0; unicode-bidi: isolate; overflow-wrap: anywhere; min-width: 0; }
@media (max-width: 34rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .7rem; } }

.badge { display: inline-block; padding: .08rem .55rem; border-radius: 1rem; font-size: .8rem; font-weight: 600;
  line-height: 1.5; background: var(--soft); color: var(--quiet); unicode-bidi: isolate; overflow-wrap: anywhere; }
.good { background: var(--good-bg); color: var(--good); }
.bad { background: var(--bad-bg); color: var(--bad); }
.warn { background: var(--warn-bg); color: var(--warn); }
.note { background: var(--note-bg); color: var(--note); }
.notice { padding: .7rem 1rem; border-radius: .6rem; max-width: none; }

.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .8rem; margin: 1.25rem 0; }
.figures > div { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; }
.figures b { display: block; font-size: 1.55rem; line-height: 1.2; letter-spacing: -.01em;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.figures span { color: var(--quiet); font-size: .87rem; }

details { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; margin: .6rem 0; }
summary { cursor: pointer; padding: .65rem 1rem; overflow-wrap: anywhere; }
summary:hover { background: var(--soft); border-radius: .6rem; }
details > div { padding: .1rem 1rem .6rem; border-top: 1px solid var(--line); }
details .scroll { border-radius: .4rem; }

figure { margin: 1rem 0 1.5rem; }
figcaption { font-size: .9rem; margin-top: .5rem; }
svg { display: block; width: 100%; overflow: visible; }
svg text { fill: var(--quiet); font-size: .78rem; }
svg .lane { fill: var(--ink); font-size: .84rem; font-weight: 600; }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .rail { stroke: var(--line); stroke-width: 2; }
svg .dot { stroke: var(--card); stroke-width: 1.5; fill-opacity: .9; }
.chart { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.1rem; }
.bars table { font-size: .92rem; }
.bars th, .bars td { border: 0; padding: .22rem .6rem .22rem 0; vertical-align: middle; }
.bars th { font-weight: 400; width: 34%; min-width: 6rem; max-width: none; overflow-wrap: anywhere; }
.bars .track { width: 100%; }
.s0 { fill: var(--s0); } .s1 { fill: var(--s1); } .s2 { fill: var(--s2); } .s3 { fill: var(--s3); }
.s4 { fill: var(--s4); } .s5 { fill: var(--s5); } .s6 { fill: var(--s6); } .s7 { fill: var(--s7); }

footer { margin-top: 3.5rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--quiet);
  font-size: .87rem; }
@media print {
  body { background: #fff; } .sheet { max-width: none; padding: 0; }
  .scroll { overflow: visible; } details, section, figure, tr { break-inside: avoid; }
}
"""
