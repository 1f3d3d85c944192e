/** The part of the style sheet for the guides of identity providers, and for the connections on the overview. */
export const CONNECT_STYLE = `
.guides { list-style: none; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); gap: var(--space-4); margin-bottom: var(--space-7) }
.guides .card { position: relative; display: grid; gap: var(--space-1); align-content: start; padding: var(--space-5) }
.guides .card:hover { border-color: var(--accent) }
.guides .card a { font-weight: 600 }
.guides .card a::after { content: ''; position: absolute; inset: 0 }
.guides .card .muted { font-size: var(--text-small) }
.guide { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 21rem); gap: var(--space-6); align-items: start }
.guide h3 { margin-bottom: 0 }
.guide h3 + .notes { margin-top: var(--space-3) }
.guide-fields { display: grid; gap: var(--space-5); max-width: 40rem }
.guide-fields .field { margin: 0 }
.guide-fields .label { display: block; font-size: var(--text-small) }
.watch { position: sticky; top: 1.25rem; max-height: calc(100vh - 2.5rem); overflow-y: auto; overflow-wrap: anywhere }
.watch-steps { list-style: none; padding: 0; display: grid; gap: var(--space-5) }
.watch-steps li { padding-left: var(--space-4); border-left: 3px solid var(--line) }
.watch-steps .done { border-color: var(--ok) }
.watch-steps .waiting { border-color: var(--warn) }
.watch-steps .problem { border-color: var(--danger) }
.watch-head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: var(--space-2) var(--space-3) }
.watch-steps p + p, .watch-problem { margin-top: var(--space-2); font-size: var(--text-small) }
.watch .reasons { font-size: var(--text-small); border-top: 1px solid var(--line); padding-top: var(--space-4) }
.others { border-top: 1px solid var(--line); padding-top: var(--space-4) }
.others ul { margin-top: var(--space-2) }
.mappings caption { text-align: left; font-weight: 600; padding-bottom: var(--space-2) }
.mappings { table-layout: fixed }
.mappings thead th { white-space: normal }
.mappings tbody th { font-weight: 400 }
.connections > li + li, .strangers { padding-top: var(--space-5); border-top: 1px solid var(--line) }
.connections p + p { margin-top: var(--space-1) }
.reasons { margin-top: var(--space-3) }
.reasons ul { list-style: disc; padding-left: var(--space-6); margin-top: var(--space-2); display: grid; gap: var(--space-2) }
.reasons ul + .muted { margin-top: var(--space-2) }
.reason { color: var(--danger) }
.notice .actions { margin-top: var(--space-3) }
@media (min-width: 1081px) {
  .to-watch { display: none }
}
@media (max-width: 1080px) {
  .guide { grid-template-columns: minmax(0, 1fr) }
  .watch { position: static; max-height: none }
}
`
