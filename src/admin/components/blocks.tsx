/**
 * Small blocks that pages are made of: heads, notices, empty states, states of things.
 */
import type { Child } from 'hono/jsx'

/** The head of a page: its title, what it is about, and what can be done. */
export function PageHead({ title, lead, children }: { title: string; lead?: Child; children?: Child }) {
  return (
    <div class="page-head">
      <div>
        <h1>{title}</h1>
        {lead && <p class="lead">{lead}</p>}
      </div>
      {children && <div class="actions">{children}</div>}
    </div>
  )
}

export type Tone = 'ok' | 'warn' | 'danger' | 'off'

/** The state of something, in a word; the colour only repeats it. */
export function Badge({ tone, children }: { tone: Tone; children: Child }) {
  return <span class={`badge ${tone}`}>{children}</span>
}

/** Something that the administrator should know. */
export function Notice({ tone, title, children }: { tone: Tone; title: string; children?: Child }) {
  return (
    <section class={`notice ${tone}`} aria-label={title}>
      <strong>{title}</strong>
      {children}
    </section>
  )
}

/** Nothing to show, why, and what to do next. */
export function EmptyState({ title, children }: { title: string; children?: Child }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  )
}

/** A section with a heading. @param live its content is refreshed by the script */
export function Section({
  id,
  title,
  aside,
  live,
  children,
}: {
  id: string
  title: string
  aside?: Child
  live?: boolean
  children: Child
}) {
  return (
    <section class="panel" aria-labelledby={`${id}-title`} id={id} {...(live ? { 'data-live': '' } : {})}>
      <div class="panel-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  )
}
