/**
 * The style sheet of the dashboard. The colour scheme follows the system. On a narrow screen, the sidebar becomes a header
 * and tables become blocks.
 */
export const STYLE = `:root {
  color-scheme: light dark;
  --page: light-dark(#f5f6f8, #0e1116);
  --surface: light-dark(#fff, #161b22);
  --sunken: light-dark(#f0f2f5, #0e1116);
  --line: light-dark(#dde1e7, #2b323c);
  --line-strong: light-dark(#8a94a3, #66707e);
  --text: light-dark(#1b2028, #e5e9ef);
  --muted: light-dark(#586273, #9ba5b3);
  --accent: light-dark(#0b5fcc, #74b1ff);
  --fill: light-dark(#0b5fcc, #2068cf);
  --fill-hover: light-dark(#094ea8, #2d77e0);
  --ok: light-dark(#146c3a, #5fd08f);
  --ok-soft: light-dark(#e3f4e9, #12301f);
  --warn: light-dark(#7d4f00, #f2bd57);
  --warn-soft: light-dark(#fdf1d8, #33260c);
  --danger: light-dark(#b0241c, #ff938a);
  --danger-soft: light-dark(#fdeae8, #3a1715);
  --off-soft: light-dark(#eaedf1, #232a33);
  --creates: light-dark(#1d8a5b, #3fb27f);
  --updates: light-dark(#2f74d0, #5b9df0);
  --disables: light-dark(#b87400, #d9a03c);
  --deletes: light-dark(#7a56c2, #a587e8);
  --refused: light-dark(#cf3a30, #f0655b);
  --radius: 10px;
  --mono: ui-monospace, 'SF Mono', 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace;
  accent-color: var(--fill);
}
*, ::before, ::after { box-sizing: border-box }
html { font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', sans-serif; -webkit-text-size-adjust: 100% }
body { margin: 0; min-height: 100vh; background: var(--page); color: var(--text); display: grid; grid-template-columns: 236px minmax(0, 1fr) }
body.alone { display: block }
h1, h2, h3, p, ul, ol, dl, dd, figure, pre { margin: 0 }
h1 { font-size: 1.6rem; line-height: 1.25; letter-spacing: -.01em; overflow-wrap: anywhere }
h2 { font-size: 1.05rem; line-height: 1.4 }
h2.minor { margin: 0 0 .6rem; font-size: .95rem }
h3 { font-size: .95rem }
h3.urn { margin: 1.4rem 0 .4rem; font: 600 .8rem/1.4 var(--mono); color: var(--muted); overflow-wrap: anywhere }
a { color: var(--accent); text-underline-offset: .18em; text-decoration-thickness: 1px }
a:hover { text-decoration-thickness: 2px }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px }
main:focus { outline: none }
code, pre, .mono { font-family: var(--mono); font-size: .87em; overflow-wrap: anywhere }
td .mono, th .mono { overflow-wrap: break-word }
.clip .mono { overflow-wrap: anywhere }
/* A name in another direction does not reorder its surroundings. */
a, b, strong, code, span { unicode-bidi: isolate }
.mark { padding: 0 .2em; border: 1px solid var(--danger); border-radius: 3px; color: var(--danger); font: .75em/1.2 var(--mono) }
.number, time { font-variant-numeric: tabular-nums }
.muted, .hint, .lead { color: var(--muted) }
.hint { font-size: .87rem; margin-top: .3rem }
.block { display: block }
.lead { margin-top: .15rem; overflow-wrap: anywhere }
.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
.skip { position: absolute; left: .5rem; top: -4rem; z-index: 2; padding: .5rem .9rem; background: var(--surface); border-radius: 6px }
.skip:focus { top: .5rem }

.sidebar { position: sticky; top: 0; height: 100vh; overflow-y: auto; display: flex; flex-direction: column; gap: 1.1rem; padding: 1.25rem .9rem; background: var(--surface); border-right: 1px solid var(--line) }
.brand { display: flex; align-items: center; gap: .6rem; padding: 0 .6rem; font-weight: 650; color: var(--text); text-decoration: none }
.logo rect { fill: #0b5fcc }
.logo circle, .logo path { fill: none; stroke: #fff; stroke-width: 2; stroke-linecap: round }
.tenant { padding: .6rem; background: var(--sunken); border-radius: 8px; font-size: .87rem; line-height: 1.4 }
.tenant-name { display: block; font-weight: 600; font-size: .95rem; overflow-wrap: anywhere }
.sidebar nav { flex: 1 }
.sidebar ul { list-style: none; padding: 0; display: grid; gap: 2px }
.sidebar nav a { display: block; padding: .45rem .6rem; border-radius: 7px; color: var(--text); text-decoration: none }
.sidebar nav a:hover { background: var(--sunken) }
.sidebar nav a[aria-current] { background: light-dark(#e4eefc, #1c2f4d); color: light-dark(#084a9f, #a8cfff); font-weight: 600 }
.account { display: flex; justify-content: space-between; gap: .6rem; padding: .7rem .6rem 0; border-top: 1px solid var(--line); font-size: .87rem; color: var(--muted) }
.account span { overflow: hidden; text-overflow: ellipsis }

main { padding: 2rem clamp(1rem, 3vw, 2.5rem) 4rem; max-width: 1220px; width: 100% }
.alone main { max-width: 30rem; margin: 0 auto; padding-top: 12vh }
.page-head { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: flex-start; gap: .8rem 1.5rem; margin-bottom: 1.5rem }
.page-head > div:first-child { min-width: 0 }
.actions { display: flex; flex-wrap: wrap; align-items: center; gap: .6rem }
.crumbs { margin-bottom: .25rem; font-size: .9rem; color: var(--muted) }

.panel, .stat, .card { background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius) }
.panel { padding: 1.25rem 1.35rem; margin-bottom: 1.25rem }
.panel > * + * { margin-top: 1rem }
.panel-head { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: .3rem 1rem }
.panel.narrow { max-width: 34rem }
.panel.narrow form { margin-top: 1.25rem }
.panel ul:not([class]) { padding-left: 1.2rem }
.panel ul:not([class]) > li + li { margin-top: .4rem }

.stats { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: 1rem; margin-bottom: 1.25rem }
.stat { padding: 1rem 1.15rem }
.stat.warn { border-color: var(--warn) }
.stat h2 { font-size: .87rem; font-weight: 500; color: var(--muted) }
.stat h2 a { color: inherit }
.big { font-size: 1.9rem; line-height: 1.25; font-weight: 650; letter-spacing: -.02em; font-variant-numeric: tabular-nums }
.big.text { font-size: 1.2rem; line-height: 1.98rem; letter-spacing: 0 }
.big .of { font-size: 1rem; font-weight: 400; color: var(--muted); letter-spacing: 0 }
.stat .muted, .stat .warn-text { font-size: .87rem }
.warn-text { color: var(--warn) }
.connections { list-style: none; padding: 0; display: grid; gap: .9rem }
.connections li { overflow-wrap: anywhere }
.connection-head { display: flex; flex-wrap: wrap; align-items: center; gap: .2rem .6rem; font-weight: 600 }
.meter { display: block; width: 100%; height: .55rem; margin: .4rem 0 .3rem; background: var(--off-soft); border-radius: 99px }

.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 1.5rem 2.25rem }
.chart figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; margin-bottom: .5rem }
.chart figcaption .muted { font-size: .9rem }
.plot { border-bottom: 1px solid var(--line-strong); border-top: 1px dashed var(--line) }
.plot svg { display: block; width: 100%; height: 112px }
.axis { display: flex; justify-content: space-between; margin-top: .25rem; font-size: .78rem; color: var(--muted) }
.legend { display: flex; flex-wrap: wrap; gap: .2rem .8rem; list-style: none; padding: 0; margin: .6rem 0; font-size: .82rem }
.legend b { font-weight: 600 }
.key { display: inline-block; width: .7rem; height: .7rem; border-radius: 3px; margin-right: .15rem; vertical-align: -.05rem }
.creates { fill: var(--creates) } .key.creates { background: var(--creates) }
.updates { fill: var(--updates) } .key.updates { background: var(--updates) }
.disables { fill: var(--disables) } .key.disables { background: var(--disables) }
.deletes { fill: var(--deletes) } .key.deletes { background: var(--deletes) }
.refused { fill: var(--refused) } .key.refused { background: var(--refused) }

.notice { padding: .8rem 1rem; border-radius: 8px; border: 1px solid var(--line); border-left: 4px solid var(--line-strong); background: var(--off-soft); margin-bottom: 1.25rem; overflow-wrap: anywhere }
.notice strong { display: block }
.notice form { margin-top: .5rem }
p.notice strong { display: inline }
.notice.ok { border-color: var(--ok); background: var(--ok-soft) }
.notice.warn { border-color: var(--warn); background: var(--warn-soft) }
.notice.danger { border-color: var(--danger); background: var(--danger-soft) }
.badge { display: inline-block; justify-self: start; padding: .08rem .55rem; border-radius: 99px; font-size: .8rem; font-weight: 600; line-height: 1.5; white-space: nowrap }
.badge.ok { color: var(--ok); background: var(--ok-soft) }
.badge.warn { color: var(--warn); background: var(--warn-soft) }
.badge.danger { color: var(--danger); background: var(--danger-soft) }
.badge.off { color: var(--muted); background: var(--off-soft) }
.empty { padding: 1.6rem 1rem; text-align: center; color: var(--muted) }
.empty-title { font-weight: 600; color: var(--text) }
.empty p { text-wrap: balance }
.empty p + p { max-width: 38rem; margin: .35rem auto 0 }

label { display: block; font-weight: 600; font-size: .9rem; margin-bottom: .3rem }
input, select, textarea, button, .button { font: inherit; min-height: 2.5rem }
input:not([type=hidden], [type=checkbox]), select, textarea { width: 100%; padding: .4rem .65rem; color: var(--text); background: light-dark(#fff, #0e1116); border: 1px solid var(--line-strong); border-radius: 7px }
input[type=checkbox] { width: auto; min-height: 0; margin: 0 }
fieldset { min-width: 0; margin: 0; padding: 0; border: 0 }
legend { padding: 0; font-weight: 600; font-size: .9rem }
.checks { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: .3rem 1rem; margin-top: .5rem }
.checks label { display: flex; align-items: center; gap: .5rem; min-height: 1.6rem; margin: 0; font-weight: 400 }
textarea { font-family: var(--mono); font-size: .85rem; resize: vertical }
input[readonly] { background: var(--sunken) }
input[aria-invalid], select[aria-invalid], textarea[aria-invalid] { border-color: var(--danger); border-width: 2px }
.error { color: var(--danger); font-size: .9rem; margin-top: .3rem }
.field + .field, .field + button { margin-top: 1rem }
button, .button { display: inline-flex; align-items: center; justify-content: center; padding: .4rem 1rem; border: 1px solid transparent; border-radius: 7px; font-weight: 600; text-decoration: none; cursor: pointer; white-space: nowrap }
[hidden] { display: none }
.primary { color: #fff; background: var(--fill) }
.primary:hover { background: var(--fill-hover) }
.quiet { color: var(--text); background: var(--surface); border-color: var(--line-strong) }
.quiet:hover { background: var(--sunken) }
button.danger { color: #fff; background: #b0241c }
button.danger:hover { background: #8f1c15 }
.danger-text { color: var(--danger) }
.small { min-height: 2rem; padding: .15rem .7rem; font-size: .87rem }
button.link { min-height: 0; padding: 0; border: 0; background: none; font-weight: 400; color: var(--accent); text-decoration: underline; text-underline-offset: .18em }
.live { gap: .45rem }
.live::before { content: ''; width: .55rem; height: .55rem; border-radius: 50%; background: var(--line-strong) }
.live[aria-pressed=true]::before { background: var(--creates) }
.copy { display: flex; gap: .5rem }
.copy input { min-width: 0; text-overflow: ellipsis }
.row-form { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 1rem }
.row-form .field { flex: 1 1 200px; margin: 0 }
.row-form button { margin: 1.65rem 0 0 }
.search { display: flex; flex-wrap: wrap; align-items: flex-end; gap: .4rem .8rem }
.search .field { margin: 0 }
.search .grow { flex: 1 1 240px }
.search .hint { flex-basis: 100%; margin: 0 }
.filters .grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: .9rem 1rem }
.filters .field { margin: 0 }
.filters > .grid .field:first-child { grid-column: span 2 }
.filters details .grid { margin-top: .8rem }
.filters .submit { display: flex; align-items: flex-end; gap: .6rem }
.filters .submit button { margin: 0 }
.filters { padding-bottom: 1.35rem }
.chip { margin: 0 }

.cards { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: .7rem; margin-bottom: 1.75rem }
.card[open] { grid-column: 1 / -1 }
.card[open] summary { border-bottom-left-radius: 0; border-bottom-right-radius: 0 }
.card summary { padding: .85rem 1.15rem; font-weight: 600 }
.card[open] summary { border-bottom: 1px solid var(--line) }
.card-body { padding: 1.15rem; max-width: 46rem }
.card-body > * + * { margin-top: 1rem }
summary { cursor: pointer; border-radius: var(--radius) }
summary:hover { background: var(--sunken) }
.panel > details > summary, .panel form > details > summary, .chart summary { width: fit-content; padding: .1rem .35rem; margin-left: -.35rem; border-radius: 5px; font-size: .9rem; color: var(--accent) }
form > details, form > details > .field, form > p.actions { margin-top: 1rem }
.steps { padding-left: 1.3rem; display: grid; gap: .5rem }
.steps ::marker { font-weight: 600; color: var(--muted) }
.notes { padding-left: 1.1rem; color: var(--muted); font-size: .9rem; display: grid; gap: .3rem }
.tabs { display: flex; gap: 1.5rem; border-bottom: 1px solid var(--line); margin-bottom: 1.25rem }
.tabs a { padding: .5rem .1rem; margin-bottom: -1px; border-bottom: 3px solid transparent; color: var(--muted); text-decoration: none; font-weight: 600 }
.tabs a:hover { color: var(--text) }
.tabs a[aria-current] { color: var(--text); border-color: var(--accent) }
.count { font-weight: 400; color: var(--muted) }

table { width: 100%; border-collapse: collapse; font-size: .93rem }
th, td { padding: .55rem .7rem; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); overflow-wrap: anywhere }
th:first-child, td:first-child { padding-left: 0 }
th:last-child, td:last-child { padding-right: 0 }
thead th { font-size: .82rem; font-weight: 600; color: var(--muted); white-space: nowrap }
tbody th { font-weight: 600 }
tbody tr:last-child > * { border-bottom: 0 }
th.number, td.number { text-align: right; white-space: nowrap }
td time { white-space: nowrap }
.tokens td time { white-space: normal }
.tokens td[data-label='Client'] { min-width: 7rem }
.stack td.number[data-label='Created'], .stack td.number[data-label='Expires'], .stack td.number[data-label='Last used'], .stack td.number[data-label='Last changed'] { text-align: left }
.list-head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .3rem 1rem; font-size: .9rem }
.clip { min-width: 9rem; max-width: 13rem }
.outcome { min-width: 8rem }
.nowrap { white-space: nowrap }
.stack tbody th { min-width: 9rem }
.row-actions .actions { justify-content: flex-end; flex-wrap: nowrap; gap: .4rem }
.compact th, .compact td { padding: .3rem .6rem; font-size: .87rem }
.scroll { overflow-x: auto; max-height: 26rem }
.pagination { display: flex; gap: 1.25rem; justify-content: flex-end }
.more { color: var(--muted) }

.entries { list-style: none; padding: 0 }
.entries li { border-bottom: 1px solid var(--line) }
.entries li:last-child { border-bottom: 0 }
.entries summary { display: grid; grid-template-columns: .6rem 7rem minmax(0, 1fr) minmax(0, 11rem) auto; gap: .25rem .9rem; align-items: baseline; padding: .55rem .4rem; border-radius: 6px }
.entries summary::-webkit-details-marker { display: none }
.entries summary::before { content: '›' / ''; color: var(--muted); font-weight: 700; line-height: 1 }
.entries details[open] > summary::before { rotate: 90deg }
.entry-name, .entry-reason { display: block; overflow-wrap: anywhere }
.entry-name { font-weight: 600 }
.entry-reason { color: var(--danger); font-size: .9rem }
.entry-reason.accepted { color: var(--muted) }
details[open] > summary .entry-reason { display: none }
.entry-action, .entry-time { color: var(--muted); font-size: .9rem }
.entry-time { white-space: nowrap }
.entry-details { display: grid; gap: .9rem; padding: .5rem .4rem 1.1rem }
.panel > .entry-details { padding: 0 }
.entry-details .notice { margin: 0 }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: .7rem 1.2rem; font-size: .9rem }
.facts dt { color: var(--muted); font-size: .82rem }
.facts dd { overflow-wrap: anywhere }
.advice { display: grid; gap: .5rem; max-width: 46rem }
.advice > div { display: grid; grid-template-columns: 9rem minmax(0, 1fr); gap: .2rem 1rem }
.advice dt { color: var(--muted) }
.advice dd { overflow-wrap: anywhere }
.values { list-style: none; padding: 0; display: grid; gap: .15rem; max-height: 16rem; overflow-y: auto }
.value { overflow-wrap: anywhere; white-space: pre-wrap }
.sub { display: inline-block; margin-left: .6rem; font-size: .9em }

.conflicts { list-style: none; padding: 0 }
.conflicts li { padding: 1rem 0; border-bottom: 1px solid var(--line) }
.conflicts li:last-child { border-bottom: 0; padding-bottom: 0 }
.conflicts h3 { overflow-wrap: anywhere }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); gap: .7rem; margin: .7rem 0 }
.side { padding: .6rem .8rem; background: var(--sunken); border-radius: 8px; font-size: .9rem }
.side > div { display: grid; grid-template-columns: 4.5rem minmax(0, 1fr); gap: .6rem }
.side dt { color: var(--muted) }
.side dd { overflow-wrap: anywhere }

.columns { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 1.25rem; align-items: start }
.columns .entry-name { display: none }
.columns .entries summary { grid-template-columns: .6rem auto minmax(0, 1fr) }
.columns .entry-action { grid-column: 2 / 3; white-space: nowrap }
.columns .entry-time { text-align: right }
.attributes > div { display: grid; grid-template-columns: minmax(8rem, 13rem) minmax(0, 1fr); gap: 1rem; padding: .4rem 0; border-bottom: 1px solid var(--line) }
.attributes dt { color: var(--muted); overflow-wrap: anywhere }
.attributes dd { overflow-wrap: anywhere }
.attributes.meta { font-size: .9rem }
.attributes.meta > div:last-child { border: 0 }
pre { padding: .9rem; margin-top: .6rem; background: var(--sunken); border-radius: 8px; overflow: auto; max-height: 30rem; white-space: pre-wrap }
.references { list-style: none; padding: 0; columns: 2; column-gap: 1.5rem }
.references li { padding: .2rem 0; break-inside: avoid; overflow-wrap: anywhere }

@media (max-width: 1080px) {
  .columns { grid-template-columns: minmax(0, 1fr) }
}
@media (max-width: 860px) {
  body { display: block }
  .sidebar { position: static; height: auto; flex-direction: row; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; padding: .75rem 1rem; border-right: 0; border-bottom: 1px solid var(--line) }
  .brand { padding: 0 }
  .tenant { order: 3; flex: 1 1 100%; display: flex; justify-content: space-between; gap: 1rem; padding: .4rem .6rem }
  .sidebar nav { order: 4; flex: 1 1 100% }
  .sidebar ul { display: flex; flex-wrap: wrap; gap: .15rem }
  .sidebar nav a { padding: .35rem .6rem; font-size: .93rem }
  .account { margin-left: auto; padding: 0; border: 0 }
  main { padding-top: 1.25rem }
  .entries summary, .columns .entries summary { grid-template-columns: .6rem auto minmax(0, 1fr) }
  .entry-action { grid-column: 2 / 3; white-space: nowrap }
  .entry-time { text-align: right }
}
@media (max-width: 1020px) {
${stacked('.tokens')}
}
@media (max-width: 640px) {
  h1 { font-size: 1.4rem }
  .panel { padding: 1rem }
  .stats { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: .7rem }
  .stat { padding: .8rem .9rem }
  .big { font-size: 1.5rem }
  .cards { grid-template-columns: minmax(0, 1fr) }
  .references { columns: 1 }
  .filters .grid { grid-template-columns: 1fr 1fr }
  .filters .submit { grid-column: span 2 }
  .row-form .field { flex-basis: 100% }
  .row-form button { margin: 0 }
  .attributes > div, .advice > div { grid-template-columns: minmax(0, 1fr); gap: 0 }
${stacked('.stack')}
  .clip { max-width: none }
}
@media (max-width: 420px) {
  .filters .grid { grid-template-columns: 1fr }
  .filters > .grid .field:first-child, .filters .submit { grid-column: auto }
}
@media (forced-colors: active) {
  .badge, .notice { border: 1px solid }
  .creates, .updates, .disables, .deletes, .refused { forced-color-adjust: none }
}
`

/** A table as a list of rows, each with its labels. It is for narrow windows, and tables of many columns need more room. */
function stacked(table: string): string {
  return `  ${table}, ${table} tbody, ${table} tr, ${table} th, ${table} td { display: block }
  ${table} thead { display: none }
  ${table} tr { padding: .7rem 0; border-bottom: 1px solid var(--line) }
  ${table} tr:last-child { border-bottom: 0 }
  ${table} tbody th, ${table} tbody td { padding: .12rem 0; border: 0; text-align: left }
  ${table} tbody td[data-label] { display: flow-root; padding-left: 8.1rem }
  ${table} td[data-label]::before { content: attr(data-label); float: left; width: 7.5rem; margin-left: -8.1rem; color: var(--muted) }
  ${table} .row-actions .actions { justify-content: flex-start; padding-top: .5rem }`
}
