/**
 * Small building blocks of pages: heads, badges, notices, empty states, sections.
 */
import type { Child } from 'hono/jsx'
import type { Permission } from '../contract/permissions.ts'
import { Permitted } from './permitted.tsx'

/** A link to the page above. */
export type Parent = readonly [label: string, href: string]

/** The head of a page: the page above it, title, lead, and actions. */
export function PageHead({
  title,
  lead,
  parent,
  children,
}: {
  title: string
  lead?: Child
  parent?: Parent | undefined
  children?: Child
}) {
  return (
    <div class="page-head">
      <div>
        {parent && (
          <nav class="crumbs" aria-label="Breadcrumb">
            <a href={parent[1]}>{parent[0]}</a>
          </nav>
        )}
        <h1>{title}</h1>
        {lead && <p class="lead">{lead}</p>}
      </div>
      {children && <div class="actions">{children}</div>}
    </div>
  )
}

export type Tone = 'ok' | 'warn' | 'danger' | 'off'

/** A state as a word. The colour only repeats it. */
export function Badge({ tone, children }: { tone: Tone; children: Child }) {
  return <span class={`badge ${tone}`}>{children}</span>
}

/** A message to the administrator. */
export function Notice({ tone, title, children }: { tone: Tone; title: string; children?: Child }) {
  return (
    <section class={`notice ${tone}`} aria-label={title}>
      <strong>{title}</strong>
      {children}
    </section>
  )
}

/** Shown in place of an empty list, with the reason and the next step. */
export function EmptyState({ title, children }: { title: string; children?: Child }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  )
}

/**
 * A section with a heading.
 *
 * @param live whether the script refreshes its content
 * @param needs what an administrator needs to see it; undefined: nothing
 */
export function Section({
  id,
  title,
  aside,
  live,
  needs,
  children,
}: {
  id: string
  title: string
  aside?: Child
  live?: boolean
  needs?: Permission
  children: Child
}) {
  const section = (
    <section class="panel" aria-labelledby={`${id}-title`} id={id} {...(live ? { 'data-live': '' } : {})}>
      <div class="panel-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  )
  return needs === undefined ? section : <Permitted to={needs}>{section}</Permitted>
}
