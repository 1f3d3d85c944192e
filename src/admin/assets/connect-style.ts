/** The part of the style sheet for the guides of identity providers, and for the connections on the overview. */
export const CONNECT_STYLE = `.guides { list-style: none; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); gap: .8rem; margin-bottom: 1.5rem }
.guides .card { position: relative; display: grid; gap: .15rem; align-content: start; padding: .9rem 1.1rem }
.guides .card:hover { border-color: var(--accent) }
.guides .card a { font-weight: 600 }
.guides .card a::after { content: ''; position: absolute; inset: 0 }
.guides .card .muted { font-size: .9rem }
.guide { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 21rem); gap: 1.25rem; align-items: start }
.guide h3 { margin-bottom: -.5rem }
.guide-fields { display: grid; gap: .9rem; max-width: 40rem }
.guide-fields .field { margin: 0 }
.guide-fields .label { display: block; font-size: .9rem }
.watch { position: sticky; top: 1.25rem; max-height: calc(100vh - 2.5rem); overflow-y: auto; overflow-wrap: anywhere }
.watch-steps { list-style: none; padding: 0; display: grid; gap: .9rem }
.watch-steps li { padding-left: .85rem; border-left: 3px solid var(--line) }
.watch-steps .done { border-color: var(--ok) }
.watch-steps .waiting { border-color: var(--warn) }
.watch-steps .problem { border-color: var(--danger) }
.watch-head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: .2rem .6rem }
.watch-steps p + p, .watch-problem { margin-top: .2rem; font-size: .9rem }
.watch .reasons { font-size: .9rem; border-top: 1px solid var(--line); padding-top: .8rem }
.mappings caption { text-align: left; font-weight: 600; padding-bottom: .3rem }
.mappings tbody th { width: 45%; font-weight: 400 }
.connections > li + li, .strangers { padding-top: .9rem; border-top: 1px solid var(--line) }
.connections p + p { margin-top: .15rem }
.reasons { margin-top: .5rem }
.reasons ul { padding-left: 1.2rem; margin-top: .3rem; display: grid; gap: .35rem }
.others { border-top: 1px solid var(--line); padding-top: .8rem }
.others ul { margin-top: .3rem }
.notice .actions { margin-top: .5rem }
.reason { color: var(--danger) }
@media (min-width: 1081px) {
  .to-watch { display: none }
}
@media (max-width: 1080px) {
  .guide { grid-template-columns: minmax(0, 1fr) }
  .watch { position: static; max-height: none }
}
@media (max-width: 480px) {
  .entry-time { white-space: normal }
}
`
