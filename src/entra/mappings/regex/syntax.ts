/** The tree of a regular expression with .NET's syntax, and the error for a pattern that is wrong or not supported. Pure. */

export type RegexNode =
  | { readonly kind: 'sequence'; readonly nodes: readonly RegexNode[] }
  | { readonly kind: 'choice'; readonly options: readonly RegexNode[] }
  /** Matches one UTF-16 code unit, as in .NET. */
  | { readonly kind: 'set'; readonly matches: CharacterTest }
  | { readonly kind: 'capture'; readonly name: string; readonly node: RegexNode }
  /** Keeps the first match of the node: no backtracking into it. */
  | { readonly kind: 'atomic'; readonly node: RegexNode }
  | {
      readonly kind: 'look'
      readonly direction: 'ahead' | 'behind'
      readonly negative: boolean
      readonly node: RegexNode
    }
  | {
      readonly kind: 'repeat'
      readonly node: RegexNode
      readonly min: number
      readonly max: number
      readonly lazy: boolean
    }
  | { readonly kind: 'anchor'; readonly holds: AnchorTest }
  | { readonly kind: 'backreference'; readonly name: string; readonly ignoreCase: boolean }

export type CharacterTest = (character: string) => boolean

/** `start` is where the search for this match began, for \G. */
export type AnchorTest = (text: string, at: number, start: number) => boolean

/** A parsed pattern. Unnamed groups are named by their number, as .NET numbers them. */
export interface RegexPattern {
  readonly node: RegexNode
  readonly groups: readonly string[]
}

/** A pattern that .NET rejects, or a construct that is not supported; `position` counts from 0. */
export class RegexError extends Error {
  override readonly name = 'RegexError'
  readonly position: number

  constructor(message: string, position: number) {
    super(message)
    this.position = position
  }
}
