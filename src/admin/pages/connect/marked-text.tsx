/** The texts of guides: *what a page says* is bold, and `a value` is code. */
import type { Child } from 'hono/jsx'

const PART = /(\*[^*]+\*|`[^`]+`)/

export function MarkedText({ text }: { readonly text: string }): Child {
  return (
    <>
      {text.split(PART).map((part) => {
        if (part.startsWith('*')) return <b>{part.slice(1, -1)}</b>
        return part.startsWith('`') ? <code>{part.slice(1, -1)}</code> : part
      })}
    </>
  )
}

/** Steps as a numbered list, or as a paragraph if there is only one. */
export function MarkedSteps({ steps }: { readonly steps: readonly string[] }) {
  const [first = '', second] = steps
  if (second === undefined) {
    return (
      <p>
        <MarkedText text={first} />
      </p>
    )
  }
  return <ol class="steps">{itemsOf(steps)}</ol>
}

export function MarkedNotes({ notes }: { readonly notes: readonly string[] }) {
  return <ul class="notes">{itemsOf(notes)}</ul>
}

function itemsOf(texts: readonly string[]): readonly Child[] {
  return texts.map((text) => (
    <li>
      <MarkedText text={text} />
    </li>
  ))
}
