/** The part of the style sheet for what pages show: tables, charts, log entries, attributes. See style.ts. */
export const CONTENT_STYLE = `
table { width: 100%; border-collapse: collapse; font-size: var(--text-body) }
/*
 * A word breaks only if it is longer than the share of the panel that a cell may have, so ids and addresses stay whole. The
 * shares of the columns of a list are the whole panel, or less.
 */
th, td { max-width: 20cqi; padding: var(--space-3) var(--space-4); text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--line); overflow-wrap: break-word }
th:first-child, td:first-child { padding-left: 0 }
th:last-child, td:last-child { padding-right: 0 }
/* The line is a shadow: the border of a collapsed table does not move with a sticky cell. */
thead th { position: sticky; top: 0; z-index: 1; background: var(--surface); border-bottom: 0; box-shadow: inset 0 -1px var(--line); font-size: var(--text-tiny); font-weight: 600; color: var(--muted); white-space: nowrap }
tbody th { max-width: 32cqi; font-weight: 600 }
tbody tr:last-child > * { border-bottom: 0 }
th.number, td.number { text-align: right; white-space: nowrap }
td time, th time { white-space: nowrap }
td .mono, th .mono { overflow-wrap: break-word }
.tokens td time { white-space: normal }
.tokens td, .tokens thead th { max-width: 15cqi }
.tokens tr > :where(:not(:first-child, :last-child)) { padding-inline: var(--space-3) }
.tokens tbody th { max-width: 18cqi }
.tokens .hint { font-weight: 400 }
/* So that a time takes two lines: the day, and the hour. */
.tokens td.number:has(time) { min-width: 8.2rem }
td[data-label='Id'] { max-width: 36cqi }
.stack td.number:is(:has(time), [data-label='Expires'], [data-label='Last used']) { text-align: left }
.list-head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: var(--space-2) var(--space-5); font-size: var(--text-small) }
.lines { table-layout: fixed }
/* Text that is cut is cut at its end, which is on the left in a text from right to left. */
.lines th, .lines td { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.lines [dir=auto] { text-align: left }
.lines a:focus-visible { outline-offset: -2px }
.lines col.name { width: 30% }
.lines col.state { width: 7rem }
.lines col.members { width: 6rem }
.lines col.moment { width: 12.5rem }
/* Some languages write a time longer than the column. A time is never cut. */
.lines td:has(time) { white-space: normal }
.lines td time { white-space: inherit }
.list-controls { display: flex; flex-wrap: wrap; justify-content: space-between; gap: var(--space-3) var(--space-8) }
.list-controls nav { display: flex; flex-wrap: wrap; align-items: baseline; gap: var(--space-2) var(--space-3); font-size: var(--text-small) }
.choices { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: var(--space-2) }
.choices a { display: block; padding: var(--space-1) var(--space-4); border: 1px solid var(--line); border-radius: var(--corner-round); color: var(--text); text-decoration: none }
.choices a:hover { border-color: var(--line-strong) }
.choices a[aria-current] { border-color: var(--accent); color: var(--accent); font-weight: 600 }
.choices .muted { font-weight: 400 }
.clip { min-width: min(9rem, 18cqi); max-width: min(13rem, 18cqi) }
/* The page of the resource has the whole text. */
.clip .mono { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; overflow-wrap: anywhere }
.outcome { min-width: 8rem }
.nowrap { white-space: nowrap }
.stack tbody th { min-width: min(9rem, 18cqi) }
.row-actions, .tokens .row-actions { max-width: none }
.row-actions .actions { justify-content: flex-end; flex-wrap: nowrap; gap: var(--space-3) }
.compact th time { white-space: normal }
.compact th, .compact td { padding: var(--space-2) var(--space-3); font-size: var(--text-small) }
.compact thead th { max-width: none }
.scroll { overflow-x: auto; max-height: 26rem }
.pagination { display: flex; flex-wrap: wrap; gap: var(--space-3) var(--space-6); justify-content: flex-end }
.more { color: var(--muted) }

.connections { list-style: none; padding: 0; display: grid; gap: var(--space-5) }
.connections li { overflow-wrap: anywhere }
.connection-head { display: flex; flex-wrap: wrap; align-items: center; gap: var(--space-2) var(--space-3); font-weight: 600 }

.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: var(--space-7) var(--space-8) }
.chart figcaption { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 var(--space-5); margin-bottom: var(--space-3) }
.chart figcaption .muted { font-size: var(--text-small) }
.plot { border-bottom: 1px solid var(--line-strong); border-top: 1px dashed var(--line) }
.plot svg { display: block; width: 100%; height: 112px }
.axis { display: flex; justify-content: space-between; margin-top: var(--space-2); font-size: var(--text-tiny); color: var(--muted) }
.legend { display: flex; flex-wrap: wrap; gap: var(--space-2) var(--space-4); list-style: none; padding: 0; margin: var(--space-3) 0; font-size: var(--text-tiny) }
.legend b { font-weight: 600 }
.key { display: inline-block; width: .7rem; height: .7rem; border-radius: var(--corner-small); margin-right: var(--space-1); vertical-align: -.05rem }
.creates { fill: var(--creates) } .key.creates { background: var(--creates) }
.updates { fill: var(--updates) } .key.updates { background: var(--updates) }
.disables { fill: var(--disables) } .key.disables { background: var(--disables) }
.deletes { fill: var(--deletes) } .key.deletes { background: var(--deletes) }
.refused { fill: var(--refused) } .key.refused { background: var(--refused) }

.entries { list-style: none; padding: 0 }
.entries li { border-bottom: 1px solid var(--line) }
.entries li:last-child { border-bottom: 0 }
.entries summary { display: grid; grid-template-columns: .9rem 7rem minmax(0, 1fr) minmax(0, 11rem) auto; gap: var(--space-2) var(--space-4); align-items: baseline; padding: var(--space-3) }
.entry-name, .entry-reason { display: block; overflow-wrap: anywhere }
.entry-name { font-weight: 600; text-align: left }
.entry-reason { color: var(--danger); font-size: var(--text-small) }
.entry-reason.accepted { color: var(--muted) }
.entry-action, .entry-time { color: var(--muted); font-size: var(--text-small) }
.entry-time { white-space: nowrap }
.entry-details { display: grid; gap: var(--space-4); padding: var(--space-3) var(--space-3) var(--space-6) }
.panel > .entry-details { padding: 0 }
.entry-details .notice { margin: 0 }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: var(--space-4) var(--space-6); font-size: var(--text-small) }
.facts dt { color: var(--muted); font-size: var(--text-tiny) }
.facts dd { overflow-wrap: anywhere }
.advice { display: grid; gap: var(--space-3); max-width: 46rem }
.advice > div { display: grid; grid-template-columns: 9rem minmax(0, 1fr); gap: var(--space-1) var(--space-5) }
.advice dt { color: var(--muted) }
.advice dd { overflow-wrap: anywhere }
.values { list-style: none; padding: 0; display: grid; gap: var(--space-1) }
.values[tabindex] { max-height: 16rem; overflow-y: auto }
.value { overflow-wrap: anywhere; white-space: pre-wrap }
.sub { display: inline-block; margin-left: var(--space-4); font-size: var(--text-small) }

.conflicts { list-style: none; padding: 0 }
.conflicts li { padding: var(--space-5) 0; border-bottom: 1px solid var(--line) }
.conflicts li:last-child { border-bottom: 0; padding-bottom: 0 }
.conflicts h3 { overflow-wrap: anywhere }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); gap: var(--space-4); margin: var(--space-4) 0 }
.side { padding: var(--space-4); background: var(--sunken); border-radius: var(--corner); font-size: var(--text-small) }
.side > div { display: grid; grid-template-columns: 4.5rem minmax(0, 1fr); gap: var(--space-3) }
.side dt { color: var(--muted) }
.side dd { overflow-wrap: anywhere }

.columns { display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 4fr); gap: var(--space-6); align-items: start }
.columns .entry-name { display: none }
.columns .entries summary { grid-template-columns: .9rem auto minmax(0, 1fr) }
.columns .entry-action { grid-column: 2 / 3; white-space: nowrap }
.columns .entry-time { text-align: right }
.attributes > div { display: grid; grid-template-columns: minmax(8rem, 11rem) minmax(0, 1fr); gap: var(--space-5); padding: var(--space-3) 0; border-bottom: 1px solid var(--line) }
.attributes dt { color: var(--muted); overflow-wrap: anywhere }
.attributes dd { overflow-wrap: anywhere }
.attributes.meta { font-size: var(--text-small) }
.attributes.meta > div:last-child { border: 0 }
pre { padding: var(--space-5); margin-top: var(--space-3); background: var(--sunken); border-radius: var(--corner); overflow: auto; max-height: 30rem; white-space: pre-wrap }
.references { list-style: none; padding: 0; columns: 18rem; column-gap: var(--space-7) }
.references:not(.single) a, .stack .clamp { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; overflow-wrap: anywhere }
.references a { text-align: left }
.references .hint { margin: 0 }
.references.single { columns: 1 }
.references li { padding: var(--space-1) 0; break-inside: avoid; overflow-wrap: anywhere }
`
