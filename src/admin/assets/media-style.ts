/** The part of the style sheet for narrow windows and panels, for forced colours, and for paper. See style.ts. */
export const MEDIA_STYLE = `
@container panel (max-width: 920px) {
${stacked('.tokens')}
}
@container panel (max-width: 760px) {
  td time, th time { white-space: normal }
}
@container panel (min-width: 621px) {
  .stack:not(.tokens, .lines, .compact) tbody th { width: 32cqi }
  .stack td:has(time) { min-width: 6.8rem }
}
/* The page of a resource has its external id; the names need the room. */
@container panel (min-width: 621px) and (max-width: 760px) {
  .lines .identifier { display: none }
  .lines col.name { width: 36% }
}
@container panel (max-width: 620px) {
${stacked('.stack')}
  .lines th, .lines td { overflow: visible; white-space: normal }
  .lines :is(th, td) > :is(a, span):not(.badge) { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3; overflow: hidden; overflow-wrap: anywhere }
  .clip { max-width: none }
}
@media (max-width: 1080px) {
  .columns { grid-template-columns: minmax(0, 1fr) }
}
@media (max-width: 1000px) {
  .stats { grid-auto-flow: row; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr) }
  .stat:last-child:nth-child(odd) { grid-column: span 2 }
}
@media (max-width: 860px) {
  body { display: block }
  .sidebar { position: static; height: auto; flex-direction: row; flex-wrap: wrap; align-items: center; gap: var(--space-3) var(--space-5); padding: var(--space-4) var(--space-5); border-right: 0; border-bottom: 1px solid var(--line) }
  .brand { padding: 0; margin-right: auto }
  .tenant { order: 3; flex: 1 1 100% }
  .tenant:not(:has([open])) { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 0 var(--space-4) }
  .menu { display: block; order: 4; flex: 1 1 100% }
  .menu nav { margin-bottom: var(--space-5) }
  .menu .account { padding-left: 0; padding-right: 0 }
  .sidebar .shortcuts { padding: 0; margin-bottom: var(--space-4) }
  .menu-button { display: inline-flex }
  .menu > .menu-button { position: absolute; top: var(--space-4); right: var(--space-5) }
  main { padding-top: var(--space-6) }
  .entries summary, .columns .entries summary { grid-template-columns: .9rem auto minmax(0, 1fr) }
  .entry-action { grid-column: 2 / 3; white-space: nowrap }
  .entry-time { text-align: right }
}
/* The menu as a panel at the side: it is a popover, which only the button in the header opens. */
@supports selector(:popover-open) {
  @media (max-width: 860px) {
    .menu:not(:popover-open) { display: none }
    .menu { position: fixed; inset: 0 0 0 auto; width: min(20rem, 88vw); height: 100dvh; max-height: none; margin: 0; padding: var(--space-9) var(--space-5) var(--space-5); overflow-y: auto; color: var(--text); background: var(--surface); border: 0; border-left: 1px solid var(--line); box-shadow: var(--shadow) }
    .menu::backdrop { background: var(--veil) }
  }
}
@media (max-width: 640px) {
  h1 { font-size: var(--text-large) }
  .panel { padding: var(--space-5) }
  .stats { gap: var(--space-4) }
  .big { font-size: var(--text-heading) }
  .references { columns: 1 }
  .filters .grid { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr) }
  .filters .submit { grid-column: span 2 }
  .row-form .field { flex-basis: 100% }
  .row-form button { margin: 0 }
  .attributes > div, .advice > div { grid-template-columns: minmax(0, 1fr); gap: 0 }
  .entries summary > .entry-what { grid-column: 2 / -1; grid-row: 2 }
  .entries summary > .entry-action { grid-column: 2 / -1; grid-row: 3 }
  .entries summary > .entry-time { grid-column: 3; grid-row: 1 }
}
@media (max-width: 420px) {
  .filters .grid { grid-template-columns: minmax(0, 1fr) }
  .filters > .grid .field:first-child, .filters .submit { grid-column: auto }
}
@media (prefers-reduced-motion: reduce) {
  * { transition: none }
}
@media (forced-colors: active) {
  .badge, .notice, .toast { border: 1px solid }
  .creates, .updates, .disables, .deletes, .refused { forced-color-adjust: none }
}
@media print {
  :root { color-scheme: light }
  body { display: block; background: none }
  .sidebar, .skip, .toast, .pagination, .search, .filters, button, .button { display: none }
  main { max-width: none; padding: 0 }
  .panel, .stat, .card { border-color: var(--line-strong); break-inside: auto }
  tr, li, .stat, .notice { break-inside: avoid }
  thead { display: table-header-group }
  thead th { position: static }
  .scroll, .values[tabindex], pre { max-height: none; overflow: visible }
  .key, .plot svg, .meter, .badge { print-color-adjust: exact }
  a { color: inherit }
}
`

/** A table as a list of rows, each with its labels. It is for narrow panels, and tables of many columns need more room. */
function stacked(table: string): string {
  return `  ${table}, ${table} tbody, ${table} tr, ${table} th, ${table} td { display: block }
  ${table} thead { display: none }
  ${table} tr { padding: var(--space-4) 0; border-bottom: 1px solid var(--line) }
  ${table} tr:last-child { border-bottom: 0 }
  ${table} tbody th, ${table} tbody td { max-width: none; padding: var(--space-1) 0; border: 0; text-align: left; overflow-wrap: anywhere }
  ${table} tbody td[data-label] { display: flow-root; padding-left: 8.1rem }
  ${table} td[data-label]::before { content: attr(data-label); float: left; width: 7.5rem; margin-left: -8.1rem; color: var(--muted) }
  ${table} .row-actions .actions { justify-content: flex-start; padding-top: var(--space-3) }`
}
