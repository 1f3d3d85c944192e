/** A name and a value in a list of facts: a child of `<dl>`. */
import type { Child } from 'hono/jsx'

export function Fact(props: {
  readonly name: string
  /** The class of the value. */
  readonly class?: string
  readonly children?: Child
}) {
  return (
    <div>
      <dt>{props.name}</dt>
      <dd class={props.class}>{props.children}</dd>
    </div>
  )
}
