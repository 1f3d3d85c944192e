/**
 * Matches a regular expression by backtracking, as .NET does: a group keeps its last capture, a backreference to a group
 * without a capture fails, and lookbehind matches from right to left. The steps are counted, so that a pattern such as
 * (a+)+$ cannot hang the emulator. Pure.
 */
import { isSameIgnoringCase } from './character-class.ts'
import type { RegexNode } from './syntax.ts'

/** Thrown when a match takes more steps, or goes deeper, than the limits allow. */
export class RegexLimitError extends Error {
  override readonly name = 'RegexLimitError'
}

/** Steps for one text. `.*x.*`, searched for in 1,000 characters without an x, takes more than 1,000,000. */
const MAX_STEPS = 5_000_000

/** Nested calls of the matcher. The default stack of Node.js 24 overflows between 1,000 and 2,000. */
const MAX_NESTING = 800

/** Start and end of a capture. */
export type Span = readonly [start: number, end: number]

export interface RegexMatch {
  readonly span: Span
  /** The last capture of each group that took part, by name. */
  readonly captures: ReadonlyMap<string, Span>
}

type Direction = 1 | -1
type Next = (at: number) => boolean

/** Matches one pattern against one text; the step limit applies to all calls together. */
export class Matcher {
  readonly #node: RegexNode
  readonly #text: string
  #captures = new Map<string, Span>()
  #start = 0
  #steps = 0
  #nesting = 0

  constructor(node: RegexNode, text: string) {
    this.#node = node
    this.#text = text
  }

  /**
   * The first match at or after `from`.
   * @throws {RegexLimitError}
   */
  find(from: number): RegexMatch | undefined {
    for (let at = from; at <= this.#text.length; at++) {
      const match = this.#matchAt(at, from, () => true)
      if (match !== undefined) return match
    }
    return undefined
  }

  /**
   * Whether the pattern can match the whole text.
   * @throws {RegexLimitError}
   */
  matchesWhole(): boolean {
    return this.#matchAt(0, 0, (end) => end === this.#text.length) !== undefined
  }

  #matchAt(at: number, start: number, accept: Next): RegexMatch | undefined {
    this.#captures = new Map()
    this.#start = start
    let end = at
    const found = this.#run(this.#node, at, 1, (after) => {
      end = after
      return accept(after)
    })
    return found ? { span: [at, end], captures: this.#captures } : undefined
  }

  #run(node: RegexNode, at: number, direction: Direction, next: Next): boolean {
    this.#countStep()
    if (++this.#nesting > MAX_NESTING)
      throw new RegexLimitError(`the match is nested more than ${MAX_NESTING} levels deep`)
    try {
      return this.#dispatch(node, at, direction, next)
    } finally {
      this.#nesting--
    }
  }

  #countStep(): void {
    if (++this.#steps > MAX_STEPS)
      throw new RegexLimitError(`the match takes more than ${MAX_STEPS.toLocaleString('en-US')} steps`)
  }

  #dispatch(node: RegexNode, at: number, direction: Direction, next: Next): boolean {
    switch (node.kind) {
      case 'set':
        return this.#fits(node.matches, at, direction) && next(at + direction)
      case 'anchor':
        return node.holds(this.#text, at, this.#start) && next(at)
      case 'sequence':
        return this.#sequence(node.nodes, 0, at, direction, next)
      case 'choice':
        return node.options.some((option) => this.#run(option, at, direction, next))
      case 'capture':
        return this.#capture(node.name, node.node, at, direction, next)
      case 'backreference':
        return this.#backreference(node.name, node.ignoreCase, at, direction, next)
      case 'atomic':
        return this.#atomic(node.node, at, direction, next)
      case 'look':
        return this.#look(node, at, next)
      case 'repeat':
        return node.node.kind === 'set'
          ? this.#repeatSet(node, node.node.matches, at, direction, next)
          : this.#repeat(node, 0, at, direction, next)
    }
  }

  #fits(matches: (character: string) => boolean, at: number, direction: Direction): boolean {
    const character = this.#text[direction === 1 ? at : at - 1]
    return character !== undefined && matches(character)
  }

  /** Single characters are matched in the loop, so that a long literal does not nest. */
  #sequence(
    nodes: readonly RegexNode[],
    from: number,
    at: number,
    direction: Direction,
    next: Next,
  ): boolean {
    let position = at
    for (let index = from; index < nodes.length; index++) {
      const node = nodes[direction === 1 ? index : nodes.length - 1 - index]
      if (node?.kind !== 'set')
        return (
          node !== undefined &&
          this.#run(node, position, direction, (after) =>
            this.#sequence(nodes, index + 1, after, direction, next),
          )
        )
      this.#countStep()
      if (!this.#fits(node.matches, position, direction)) return false
      position += direction
    }
    return next(position)
  }

  #capture(name: string, node: RegexNode, at: number, direction: Direction, next: Next): boolean {
    return this.#run(node, at, direction, (after) => {
      const before = this.#captures.get(name)
      this.#captures.set(name, direction === 1 ? [at, after] : [after, at])
      if (next(after)) return true
      if (before === undefined) this.#captures.delete(name)
      else this.#captures.set(name, before)
      return false
    })
  }

  #backreference(name: string, ignoreCase: boolean, at: number, direction: Direction, next: Next): boolean {
    const span = this.#captures.get(name)
    if (span === undefined) return false
    const wanted = this.#text.slice(...span)
    const from = direction === 1 ? at : at - wanted.length
    if (from < 0) return false
    const found = this.#text.slice(from, from + wanted.length)
    const same = ignoreCase ? isSameIgnoringCase(found, wanted) : found === wanted
    return same && next(at + direction * wanted.length)
  }

  #atomic(node: RegexNode, at: number, direction: Direction, next: Next): boolean {
    const before = new Map(this.#captures)
    let end = at
    const found = this.#run(node, at, direction, (after) => {
      end = after
      return true
    })
    if (found && next(end)) return true
    this.#captures = before
    return false
  }

  #look(node: Extract<RegexNode, { kind: 'look' }>, at: number, next: Next): boolean {
    const before = new Map(this.#captures)
    const found = this.#run(node.node, at, node.direction === 'ahead' ? 1 : -1, () => true)
    if (node.negative) this.#captures = before
    if (found !== node.negative && next(at)) return true
    this.#captures = before
    return false
  }

  #repeatSet(
    { min, max, lazy }: Extract<RegexNode, { kind: 'repeat' }>,
    matches: (character: string) => boolean,
    at: number,
    direction: Direction,
    next: Next,
  ): boolean {
    const most = lazy ? min : max
    let count = 0
    const isNext = () => this.#fits(matches, at + direction * count, direction)
    const advance = () => {
      this.#countStep()
      count++
    }
    while (count < most && isNext()) advance()
    if (count < min) return false
    for (;;) {
      if (next(at + direction * count)) return true
      if (lazy ? count >= max || !isNext() : count <= min) return false
      this.#countStep()
      count += lazy ? 1 : -1
    }
  }

  /** An iteration that matches nothing ends the loop, as in .NET. */
  #repeat(
    node: Extract<RegexNode, { kind: 'repeat' }>,
    count: number,
    at: number,
    direction: Direction,
    next: Next,
  ): boolean {
    const more = () =>
      count < node.max &&
      this.#run(node.node, at, direction, (after) =>
        after === at ? next(after) : this.#repeat(node, count + 1, after, direction, next),
      )
    if (count < node.min) return more()
    return node.lazy ? next(at) || more() : more() || next(at)
  }
}
