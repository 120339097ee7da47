"""The look of the page: light and dark, wide and narrow."""

STYLE = """
:root { color-scheme: light dark; --ground: #f6f8fa; --card: #fff; --ink: #1f2328; --quiet: #59636e; --rule: #d1d9e0;
  --c1: #0969da; --c2: #cf222e; --c3: #bc4c00; --c4: #1a7f37; --c5: #54aeff; --c6: #8c959f; --c7: #8250df }
@media (prefers-color-scheme: dark) { :root { --ground: #0d1117; --card: #151b23; --ink: #e6edf3; --quiet: #9198a1;
  --rule: #3d444d; --c1: #4493f8; --c2: #f85149; --c3: #db6d28; --c4: #3fb950; --c5: #1f6feb;
  --c6: #656c76; --c7: #ab7df8 } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere }
main { max-width: 1120px; margin: 0 auto; padding: 20px 16px 48px }
h1 { margin: 0; font-size: 24px; overflow-wrap: anywhere } h2 { margin: 0 0 8px; font-size: 16px }
header p { margin: 4px 0 0 } .quiet { color: var(--quiet); font-size: 13px }
.note { margin: 12px 0 0; padding: 8px 12px; border-left: 4px solid var(--c3); background: var(--card) }
section { margin-top: 20px }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px }
.tiles div, figure, section:not(.tiles):not(.charts) { background: var(--card); border: 1px solid var(--rule);
  border-radius: 8px; padding: 14px 16px }
.tiles b { display: block; font-size: 26px; line-height: 1.2; font-variant-numeric: tabular-nums }
.tiles span { color: var(--quiet); font-size: 13px }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr)); gap: 12px }
figure { margin: 0; min-width: 0 } figcaption { font-weight: 600 } svg { display: block; width: 100%; height: auto }
.legend { margin: 0 0 6px; color: var(--quiet); font-size: 12px }
.legend span { margin-right: 12px; white-space: nowrap }
.legend i { display: inline-block; width: 10px; height: 10px; margin-right: 5px; border-radius: 2px;
  background: currentColor }
.legend .c1 i { color: var(--c1) } .legend .c2 i { color: var(--c2) } .legend .c3 i { color: var(--c3) }
.legend .c4 i { color: var(--c4) } .legend .c5 i { color: var(--c5) } .legend .c6 i { color: var(--c6) }
.legend .c7 i { color: var(--c7) }
svg text { font: 11px system-ui, sans-serif; fill: var(--quiet) }
.grid { stroke: var(--rule); stroke-width: 1 } .mark { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 4 3 }
.line polyline { fill: none; stroke: currentColor; stroke-width: 2; stroke-linejoin: round }
.line circle, .bar { fill: currentColor }
svg .c1 { color: var(--c1) } svg .c2 { color: var(--c2) } svg .c3 { color: var(--c3) }
svg .c4 { color: var(--c4) } svg .c5 { color: var(--c5) } svg .c6 { color: var(--c6) }
svg .c7 { color: var(--c7) }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: 5px 14px 5px 0; text-align: left; vertical-align: top; border-top: 1px solid var(--rule) }
th, .facts td { overflow-wrap: anywhere; min-width: 72px } td { overflow-wrap: break-word }
thead th { border-top: 0; color: var(--quiet); font-size: 12px; font-weight: 600; overflow-wrap: normal }
tbody th { font-weight: 400 } .facts th { width: 200px; color: var(--quiet) }
tbody tr:first-child > * { border-top: 0 } thead + tbody tr:first-child > * { border-top: 1px solid var(--rule) }
@media (max-width: 520px) { main { padding: 14px 10px 32px } .facts th { width: 108px }
  .tiles { grid-template-columns: 1fr 1fr } .tiles b { font-size: 22px } }
"""
