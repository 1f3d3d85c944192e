/** The style of the HTML report. Each text has a contrast of at least 4.5 to its background in both schemes. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f7f9, #14171c);
  --card: light-dark(#ffffff, #1d2128);
  --text: light-dark(#1c2128, #e4e8ee);
  --quiet: light-dark(#59636e, #9aa4b0);
  --line: light-dark(#d8dee5, #343b46);
  --good: light-dark(#1a6b34, #6fce8d);
  --fair: light-dark(#0b5cad, #7db8f5);
  --poor: light-dark(#8a5300, #e8b45c);
  --bad: light-dark(#b3261e, #ff8f87);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1100px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 8px; }
h2 { font-size: 1.15rem; margin: 32px 0 8px; }
h3 { font-size: 1rem; font-weight: 600; margin: 0 0 8px; overflow-wrap: anywhere; }
h4 { font-size: .75rem; font-weight: 600; margin: 0 0 4px; color: var(--quiet); }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .8125rem; }
code { overflow-wrap: anywhere; }
a { color: var(--fair); overflow-wrap: anywhere; }
.verdict { font-size: 1.15rem; font-weight: 600; margin: 0 0 16px; }
.verdict.success, .badge.success { color: var(--good); }
.verdict.acceptable, .badge.acceptable { color: var(--fair); }
.verdict.deviation, .verdict.interrupted, .badge.deviation { color: var(--poor); }
.verdict.error, .badge.error { color: var(--bad); }
.badge { display: inline-block; font-size: .75rem; font-weight: 600; padding: 0 8px; border: 1px solid currentColor;
  border-radius: 99px; color: var(--quiet); white-space: nowrap; }
dl { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr); gap: 4px 12px; margin: 0; }
dt { color: var(--quiet); }
dd { margin: 0; overflow-wrap: anywhere; }
.counts { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 16px 0 0; padding: 0; }
.steps { list-style: none; margin: 0; padding: 0; }
.steps li { padding-left: 1rem; text-indent: -1rem; }
.cause { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--quiet); border-radius: 6px;
  padding: 12px 16px; margin: 8px 0; }
.cause.error { border-left-color: var(--bad); }
.cause.deviation { border-left-color: var(--poor); }
details { background: var(--card); border: 1px solid var(--line); border-radius: 6px; margin: 4px 0; }
summary { display: flex; gap: 12px; align-items: baseline; padding: 8px 16px; cursor: pointer; list-style: none; }
summary::-webkit-details-marker { display: none; }
summary::before { content: "›"; color: var(--quiet); width: 8px; }
details[open] > summary::before { transform: rotate(90deg); }
summary:focus-visible, a:focus-visible { outline: 2px solid var(--fair); outline-offset: 2px; }
.name { flex: 1; min-width: 0; overflow-wrap: anywhere; }
.time { color: var(--quiet); font-size: .8125rem; white-space: nowrap; }
details > dl { padding: 4px 16px 12px 36px; }
.exchange { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; padding: 12px 16px 12px 36px;
  border-top: 1px solid var(--line); }
pre { margin: 8px 0 0; padding: 8px 12px; background: var(--ground); border-radius: 4px; max-height: 24rem; overflow: auto;
  white-space: pre-wrap; overflow-wrap: anywhere; }
@media (max-width: 640px) {
  .exchange { grid-template-columns: minmax(0, 1fr); padding-left: 16px; }
  details > dl { padding-left: 16px; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dt { font-size: .8125rem; }
  dd { margin-bottom: 8px; }
  summary { gap: 8px; padding: 8px 12px; }
}
@media print {
  body { background: none; }
}
`
