/**
 * Regular expressions as .NET reads them, which the provisioning service uses: compiled from a pattern, with the
 * operations that expressions and scoping filters need. JavaScript's own engine differs in syntax (\@, \A, \z, (?i)), in
 * classes (\w, \d) and in captures, and does not limit the time of a match. Pure.
 */
import { findGroup } from './groups.ts'
import { Matcher, type RegexMatch, type Span } from './matcher.ts'
import { parseRegex } from './parser.ts'
import { RegexError, type RegexPattern } from './syntax.ts'

export class RegularExpression {
  readonly #pattern: RegexPattern

  /** @throws {RegexError} if .NET rejects the pattern or a construct is not supported */
  constructor(pattern: string) {
    try {
      this.#pattern = parseRegex(pattern)
    } catch (cause) {
      if (!(cause instanceof RegexError)) throw cause
      const message = `"${pattern}" cannot be used as a regular expression: ${cause.message}`
      throw Object.assign(new RegexError(message, cause.position), { cause })
    }
  }

  /** Whether there is a group with this name or number. */
  hasGroup(reference: string): boolean {
    return reference === '0' || findGroup(this.#pattern.groups, reference) !== undefined
  }

  /** @throws {RegexLimitError} if the match takes too many steps */
  matchesWhole(text: string): boolean {
    return new Matcher(this.#pattern.node, text).matchesWhole()
  }

  /**
   * The text that a group captured in the first match; undefined if there is none.
   * @throws {RegexLimitError} if the match takes too many steps
   */
  groupIn(text: string, group: string): string | undefined {
    const match = new Matcher(this.#pattern.node, text).find(0)
    return match === undefined ? undefined : this.#capturedText(match, text, group)
  }

  /**
   * Replaces each match by a replacement pattern with `$1`, `${name}`, `$&`, `$$`, ….
   * @throws {RegexLimitError} if the match takes too many steps
   */
  replace(text: string, replacement: string): string {
    return this.#replaceMatches(text, (match) => this.#substitute(match, text, replacement))
  }

  /**
   * Replaces, in each match, the text that a group captured. A match without that capture is left as it is.
   * @throws {RegexLimitError} if the match takes too many steps
   */
  replaceGroup(text: string, group: string, replacement: string): string {
    return this.#replaceMatches(text, (match) => {
      const [start, end] = match.span
      const span = this.#capturedSpan(match, group)
      // A group inside a lookaround can lie outside the match.
      if (span === undefined || span[0] < start || span[1] > end) return text.slice(start, end)
      return text.slice(start, span[0]) + replacement + text.slice(span[1], end)
    })
  }

  #replaceMatches(text: string, replacementOf: (match: RegexMatch) => string): string {
    const matcher = new Matcher(this.#pattern.node, text)
    let result = ''
    let copied = 0
    for (let from = 0; from <= text.length; ) {
      const match = matcher.find(from)
      if (match === undefined) break
      const [start, end] = match.span
      result += text.slice(copied, start) + replacementOf(match)
      copied = end
      from = end === start ? end + 1 : end
    }
    return result + text.slice(copied)
  }

  /** Microsoft: "Substitutions in regular expressions". A name that is not a group stays as it is. */
  #substitute(match: RegexMatch, text: string, replacement: string): string {
    const [start, end] = match.span
    const textOf = (group: string) => this.#capturedText(match, text, group) ?? ''
    return replacement.replace(/\$(?:(\d+)|\{(\w+)\}|([$&`'_+]))/g, (whole, number, name, sign) => {
      const group: string | undefined = number === undefined ? name : String(Number(number))
      if (group !== undefined) return this.hasGroup(group) ? textOf(group) : whole
      switch (sign) {
        case '$':
          return '$'
        case '`':
          return text.slice(0, start)
        case "'":
          return text.slice(end)
        case '_':
          return text
        case '+':
          return textOf(this.#pattern.groups.at(-1) ?? '0')
        default:
          return text.slice(start, end)
      }
    })
  }

  #capturedText(match: RegexMatch, text: string, group: string): string | undefined {
    const span = this.#capturedSpan(match, group)
    return span === undefined ? undefined : text.slice(...span)
  }

  /** Group 0 is the whole match. */
  #capturedSpan({ span, captures }: RegexMatch, group: string): Span | undefined {
    return group === '0' ? span : captures.get(findGroup(this.#pattern.groups, group) ?? '')
  }
}
