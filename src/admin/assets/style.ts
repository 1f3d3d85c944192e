/**
 * The style sheet of the dashboard. The colour scheme follows the system. On a narrow screen, the sidebar becomes a header,
 * and in a narrow panel, tables become blocks. Values come from tokens.ts.
 *
 * Nothing that opens moves what is beside or above it: the room of the scroll bar is kept, and a disclosure grows downwards.
 */
import { CONNECT_STYLE } from './connect-style.ts'
import { CONTENT_STYLE } from './content-style.ts'
import { MEDIA_STYLE } from './media-style.ts'
import { TOKENS } from './tokens.ts'

const PAGE_STYLE = `
*, ::before, ::after { box-sizing: border-box }
html { font: 15px/1.5 var(--sans); -webkit-text-size-adjust: 100%; scrollbar-gutter: stable }
body { margin: 0; min-height: 100vh; background: var(--page); color: var(--text); display: grid; grid-template-columns: 236px minmax(0, 1fr) }
body.alone { display: block }
h1, h2, h3, p, ul, ol, dl, dd, figure, pre { margin: 0 }
h1 { font-size: var(--text-heading); line-height: 1.25; letter-spacing: -.01em; overflow-wrap: anywhere }
h2 { font-size: var(--text-title); line-height: 1.4 }
h2.minor { margin: 0 0 var(--space-3); font-size: var(--text-body) }
h3 { font-size: var(--text-body) }
h3.urn { margin: var(--space-7) 0 var(--space-3); font-family: var(--mono); font-size: var(--text-tiny); color: var(--muted); overflow-wrap: anywhere }
a { color: var(--accent); text-underline-offset: .18em; text-decoration-thickness: 1px }
a:hover { text-decoration-thickness: 2px }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: var(--corner-small) }
main:focus { outline: none }
code, pre, .mono, kbd { font-family: var(--mono); font-size: var(--text-code); overflow-wrap: anywhere }
kbd { padding: 0 var(--space-2); border: 1px solid var(--line-strong); border-radius: var(--corner-small); background: var(--sunken); white-space: nowrap }
/* A name begins at its own side and does not reorder its surroundings. */
a, b, strong, code, span, h1 { unicode-bidi: plaintext }
.mark { padding: 0 var(--space-1); border: 1px solid var(--danger); border-radius: var(--corner-small); color: var(--danger); font-family: var(--mono); font-size: var(--text-tiny); line-height: 1.2 }
.number, time { font-variant-numeric: tabular-nums }
.muted, .hint, .lead { color: var(--muted) }
.hint { font-size: var(--text-small); margin-top: var(--space-2) }
.block { display: block }
.lead { margin-top: var(--space-1); overflow-wrap: anywhere }
.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
.skip { position: absolute; left: .5rem; top: -4rem; z-index: 4; padding: var(--space-3) var(--space-5); background: var(--surface); border-radius: var(--corner) }
.skip:focus { top: .5rem }
[hidden] { display: none }

.sidebar { position: sticky; top: 0; height: 100vh; overflow-y: auto; display: flex; flex-direction: column; gap: var(--space-5); padding: var(--space-6) var(--space-5); background: var(--surface); border-right: 1px solid var(--line) }
.sidebar > *, .menu > * { flex-shrink: 0 }
.brand { display: flex; align-items: center; gap: var(--space-3); padding: 0 var(--space-3); font-weight: 650; color: var(--text); text-decoration: none }
.logo rect { fill: var(--brand) }
.logo circle, .logo path { fill: none; stroke: var(--on-fill); stroke-width: 2; stroke-linecap: round }
.tenant { padding: var(--space-3); background: var(--sunken); border-radius: var(--corner); font-size: var(--text-small); line-height: 1.4 }
.tenant-name { display: block; font-weight: 600; font-size: var(--text-body); overflow-wrap: anywhere }
.tenant form { margin-top: var(--space-3) }
.tenant label { font-weight: 400; font-size: var(--text-small) }
.tenant .copy { gap: var(--space-2) }
.switch-found { list-style: none; padding: 0; margin-top: var(--space-2) }
.switch-found a { display: block; padding: var(--space-2); border-radius: var(--corner-small); overflow-wrap: anywhere }
.menu { display: contents }
.menu-button { display: none }
.sidebar nav { flex: 1 0 auto }
.sidebar nav ul { list-style: none; padding: 0; display: grid; gap: var(--space-1) }
.nav-label { margin-top: var(--space-4); padding: var(--space-4) var(--space-3) var(--space-2); border-top: 1px solid var(--line); font-size: var(--text-tiny); font-weight: 600; color: var(--muted) }
.sidebar nav a { display: block; padding: var(--space-2) var(--space-3); border-radius: var(--corner); color: var(--text); text-decoration: none }
.sidebar nav a:hover { background: var(--sunken) }
.sidebar nav a[aria-current] { background: var(--current); color: var(--current-text); font-weight: 600 }
.account { display: flex; justify-content: space-between; gap: var(--space-3); padding: var(--space-4) var(--space-3) 0; border-top: 1px solid var(--line); font-size: var(--text-small); color: var(--muted) }
.account span { overflow: hidden; text-overflow: ellipsis }
.sidebar .shortcuts { padding: 0 var(--space-3); text-align: left; justify-content: flex-start; font-size: var(--text-small) }

main { padding: var(--space-8) clamp(var(--space-5), 3vw, var(--space-8)) var(--space-9); max-width: 1220px; width: 100% }
.alone main { max-width: 30rem; margin: 0 auto; padding-top: 12vh }
.page-head { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: flex-start; gap: var(--space-4) var(--space-7); margin-bottom: var(--space-7) }
.page-head > div:first-child { flex: 1 1 18rem; min-width: 0 }
.actions { display: flex; flex-wrap: wrap; align-items: center; gap: var(--space-3) }
.crumbs { margin-bottom: var(--space-2); font-size: var(--text-small) }
.crumbs a::before { content: '‹ ' / '' }

.panel, .stat, .card { background: var(--surface); border: 1px solid var(--line); border-radius: var(--corner-large) }
.panel { container: panel / inline-size; padding: var(--space-6); margin-bottom: var(--space-6) }
.panel > * + * { margin-top: var(--space-5) }
.panel-head { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: var(--space-2) var(--space-5) }
.panel.narrow { max-width: 34rem }
.panel.narrow form { margin-top: var(--space-6) }
.panel ul:not([class]) { padding-left: var(--space-6) }
.panel ul:not([class]) > li + li { margin-top: var(--space-3) }

/* As many columns as cards, or two. */
.stats { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); gap: var(--space-5); margin-bottom: var(--space-6) }
.stat { padding: var(--space-5); min-width: 0; overflow-wrap: anywhere }
.stat.warn { border-color: var(--warn) }
.stat h2 { font-size: var(--text-small); font-weight: 500; color: var(--muted) }
.stat h2 a { color: inherit }
.big { font-size: var(--text-figure); line-height: 1.25; font-weight: 650; letter-spacing: -.02em; font-variant-numeric: tabular-nums }
.big.text { font-size: var(--text-large); line-height: 1.98rem; letter-spacing: 0 }
.big .of { font-size: var(--text-base); font-weight: 400; color: var(--muted); letter-spacing: 0 }
.stat .muted, .stat .warn-text { font-size: var(--text-small) }
.warn-text { color: var(--warn) }
.meter { display: block; width: 100%; height: .55rem; margin: var(--space-3) 0 var(--space-2); background: var(--off-soft); border-radius: var(--corner-round) }
progress { display: block; width: 100%; height: .8rem; margin-top: var(--space-2) }
.uploading { margin-top: var(--space-4) }

.notice { padding: var(--space-4) var(--space-5); border-radius: var(--corner); border: 1px solid var(--line); border-left: 4px solid var(--line-strong); background: var(--off-soft); margin-bottom: var(--space-6); overflow-wrap: anywhere }
.notice strong { display: block }
.notice form { margin-top: var(--space-3) }
p.notice strong { display: inline }
.notice.ok { border-color: var(--ok); background: var(--ok-soft) }
.notice.warn { border-color: var(--warn); background: var(--warn-soft) }
.notice.danger { border-color: var(--danger); background: var(--danger-soft) }
.badge { display: inline-block; justify-self: start; padding: 0 var(--space-3); border-radius: var(--corner-round); font-size: var(--text-tiny); font-weight: 600; line-height: 1.6; white-space: nowrap }
.badge.ok { color: var(--ok); background: var(--ok-soft) }
.badge.warn { color: var(--warn); background: var(--warn-soft) }
.badge.danger { color: var(--danger); background: var(--danger-soft) }
.badge.off { color: var(--muted); background: var(--off-soft) }
.empty { padding: var(--space-7) var(--space-5); text-align: center; color: var(--muted) }
.empty-title { font-weight: 600; color: var(--text) }
.empty p { text-wrap: balance }
.empty p + p { max-width: 38rem; margin: var(--space-2) auto 0 }

label { display: block; font-weight: 600; font-size: var(--text-small); margin-bottom: var(--space-2) }
input, select, textarea, button, .button { font: inherit; min-height: 2.5rem }
input:not([type=hidden], [type=checkbox], [type=radio]), select, textarea { width: 100%; padding: var(--space-2) var(--space-3); color: var(--text); background: var(--control); border: 1px solid var(--line-strong); border-radius: var(--corner) }
input[type=checkbox], input[type=radio] { width: auto; min-height: 0; margin: 0 }
input:is([type=date], [type=datetime-local]) { max-width: 20rem }
input[type=file] { padding: var(--space-3) }
fieldset { min-width: 0; margin: 0; padding: 0; border: 0 }
legend { padding: 0; font-weight: 600; font-size: var(--text-small) }
.checks { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: var(--space-2) var(--space-5); margin-top: var(--space-3) }
.checks label, label.check { display: flex; align-items: center; gap: var(--space-3); min-height: 1.6rem; margin: 0; font-weight: 400 }
textarea { font-family: var(--mono); font-size: var(--text-small); resize: vertical }
input[readonly] { background: var(--sunken) }
input[aria-invalid], select[aria-invalid], textarea[aria-invalid] { border-color: var(--danger); border-width: 2px }
.error { color: var(--danger); font-size: var(--text-small); margin-top: var(--space-2) }
.field + .field, .field + button, .field + .actions { margin-top: var(--space-5) }
button, .button { display: inline-flex; align-items: center; justify-content: center; padding: var(--space-2) var(--space-5); border: 1px solid transparent; border-radius: var(--corner); font-weight: 600; text-decoration: none; cursor: pointer; white-space: nowrap }
button:disabled { cursor: not-allowed; opacity: .6 }
button:not([class]) { color: var(--text); background: var(--surface); border-color: var(--line-strong) }
button:not([class]):hover { background: var(--sunken) }
.primary { color: var(--on-fill); background: var(--fill) }
.primary:hover { background: var(--fill-hover) }
.quiet { color: var(--text); background: var(--surface); border-color: var(--line-strong) }
.quiet:hover { background: var(--sunken) }
button.danger { color: var(--on-fill); background: var(--fill-danger) }
button.danger:hover { background: var(--fill-danger-hover) }
.danger-text { color: var(--danger) }
.small { min-height: 2rem; padding: var(--space-1) var(--space-4); font-size: var(--text-small) }
button.link { min-height: 0; padding: 0; border: 0; background: none; font-weight: 400; color: var(--accent); text-decoration: underline; text-underline-offset: .18em }
.live { gap: var(--space-3) }
.live::before { content: ''; width: .55rem; height: .55rem; border-radius: var(--corner-round); background: var(--line-strong) }
.live[aria-pressed=true]::before { background: var(--creates) }
.copy { display: flex; gap: var(--space-3) }
.copy input { min-width: 0; text-overflow: ellipsis }
.row-form { display: flex; flex-wrap: wrap; align-items: flex-start; gap: var(--space-5) }
.row-form .field { flex: 1 1 200px; margin: 0 }
/* The height of a label, so that the button is in line with the controls. */
.row-form button { margin: calc(var(--text-small) * 1.5 + var(--space-2)) 0 0 }
.search { display: flex; flex-wrap: wrap; align-items: flex-end; gap: var(--space-3) var(--space-4) }
.search .field, .search button { margin: 0 }
.search .grow { flex: 1 1 240px }
.search .source { flex: 0 1 20rem; min-width: 0 }
.search .hint { flex-basis: 100%; margin: 0 }
.filters { padding-bottom: var(--space-6) }
.filters .grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: var(--space-5) }
.filters .field { margin: 0 }
.filters > .grid .field:first-child { grid-column: span 2 }
.filters details .grid { margin-top: var(--space-4) }
.filters .submit { display: flex; align-items: flex-end; gap: var(--space-3) }
.filters .submit button { margin: 0 }
.chip { margin: 0 }

/* Disclosures: one mark, which turns. */
summary { cursor: pointer; border-radius: var(--corner-small); list-style: none }
summary::-webkit-details-marker { display: none }
summary::before { content: '›' / ''; display: inline-block; width: .9rem; color: var(--muted); font-weight: 700; line-height: 1; text-align: center; transition: rotate .12s }
details[open] > summary::before { rotate: 90deg }
summary:hover { background: var(--sunken) }
.panel > details > summary, .panel form > details > summary, .chart summary, .tenant summary { width: fit-content; padding: var(--space-1) var(--space-3) var(--space-1) 0; color: var(--accent) }
form > details, form > details > .field, form > p.actions { margin-top: var(--space-5) }
.steps { padding-left: var(--space-6); display: grid; gap: var(--space-3) }
.steps ::marker { font-weight: 600; color: var(--muted) }
.notes { padding-left: var(--space-5); color: var(--muted); font-size: var(--text-small); display: grid; gap: var(--space-2) }
.tabs { display: flex; flex-wrap: wrap; gap: 0 var(--space-7); border-bottom: 1px solid var(--line); margin-bottom: var(--space-6) }
.tabs a { padding: var(--space-3) var(--space-1); border-bottom: 3px solid transparent; color: var(--muted); text-decoration: none; font-weight: 600 }
.tabs a:hover { color: var(--text) }
.tabs a[aria-current] { color: var(--text); border-color: var(--accent) }
.count { font-weight: 400; color: var(--muted) }

/* Always in the page, so that a screen reader says what appears in it. */
.toast { position: fixed; z-index: 5; bottom: 1.5rem; left: 50%; translate: -50% 0; max-width: calc(100vw - 2rem); padding: var(--space-3) var(--space-5); border-radius: var(--corner); background: var(--toast); color: var(--toast-text); box-shadow: var(--shadow); font-size: var(--text-small) }
.toast:empty { padding: 0; box-shadow: none }
dialog { max-width: min(30rem, calc(100vw - 2rem)); max-height: calc(100vh - 2rem); padding: var(--space-7); overflow: auto; color: var(--text); background: var(--surface); border: 1px solid var(--line); border-radius: var(--corner-large) }
dialog::backdrop { background: var(--veil) }
.help h2 { font-size: var(--text-large) }
.help dl { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: var(--space-3) var(--space-5); margin: var(--space-5) 0 }
.help form { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: center; gap: var(--space-4) }
`

export const STYLE = TOKENS + PAGE_STYLE + CONTENT_STYLE + CONNECT_STYLE + MEDIA_STYLE
