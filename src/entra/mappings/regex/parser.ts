/**
 * Parses a regular expression with .NET's syntax into a tree: groups and their numbers, inline options (?imnsx), escapes,
 * character classes with subtraction, lazy quantifiers. Conditions, balancing groups and Unicode blocks are refused by
 * name. Pure; matcher.ts matches the tree.
 *
 *   (?<year>\d{4})-(?i:w)\d\d
 *   └ named group┘ └ option
 *
 * Microsoft: "Regular expression language - quick reference".
 */
import {
  categoryTest,
  ignoringCase,
  isBoundaryWord,
  isDigit,
  isSpace,
  isWord,
  not,
} from './character-class.ts'
import { findGroup, readNamedGroup, scanGroups } from './groups.ts'
import type { AnchorTest, CharacterTest, RegexNode, RegexPattern } from './syntax.ts'
import { RegexError } from './syntax.ts'

/** The inline options of .NET: i, m, n, s, x. */
interface Options {
  readonly i: boolean
  readonly m: boolean
  readonly n: boolean
  readonly s: boolean
  readonly x: boolean
}

const NO_OPTIONS: Options = { i: false, m: false, n: false, s: false, x: false }

/** The maximum depth of groups; it prevents a hostile file from overflowing the stack. */
const MAX_DEPTH = 100

/** @throws {RegexError} */
export function parseRegex(pattern: string): RegexPattern {
  const groups = scanGroups(pattern)
  return { node: new Parser(pattern, groups).parse(), groups }
}

const OPTIONS = /^\(\?([imnsx]*)(?:-([imnsx]*))?([:)])/

class Parser {
  readonly #pattern: string
  readonly #groups: readonly string[]
  #at = 0
  #depth = 0
  #unnamed = 0
  #options = NO_OPTIONS

  constructor(pattern: string, groups: readonly string[]) {
    this.#pattern = pattern
    this.#groups = groups
  }

  parse(): RegexNode {
    const node = this.#choice()
    if (this.#at < this.#pattern.length) this.#fail('")" has no "("')
    return node
  }

  /** Alternatives up to the end of the group. Options that are set in a group end with it. */
  #choice(): RegexNode {
    if (++this.#depth > MAX_DEPTH) this.#fail(`more than ${MAX_DEPTH} levels of groups`)
    const options = this.#options
    const alternatives = [this.#sequence()]
    while (this.#peek() === '|') {
      this.#at++
      alternatives.push(this.#sequence())
    }
    this.#options = options
    this.#depth--
    const [first] = alternatives
    return alternatives.length === 1 && first ? first : { kind: 'choice', options: alternatives }
  }

  #sequence(): RegexNode {
    const nodes: RegexNode[] = []
    for (;;) {
      this.#skipComments()
      const next = this.#peek()
      if (next === '' || next === '|' || next === ')') return { kind: 'sequence', nodes }
      const atom = this.#atom()
      if (atom !== undefined) nodes.push(this.#quantified(atom))
    }
  }

  #skipComments(): void {
    for (;;) {
      const rest = this.#pattern.slice(this.#at)
      const comment = /^\(\?#[^)]*\)/.exec(rest) ?? (this.#options.x ? /^(?:\s+|#[^\n]*)/.exec(rest) : null)
      if (comment === null) return
      this.#at += comment[0].length
    }
  }

  /** Undefined for an option such as (?i), which matches nothing itself. */
  #atom(): RegexNode | undefined {
    const character = this.#peek()
    switch (character) {
      case '(':
        return this.#group()
      case '[':
        return this.#set(this.#class())
      case '.':
        this.#at++
        return { kind: 'set', matches: this.#options.s ? () => true : (found) => found !== '\n' }
      case '^':
        this.#at++
        return anchor(this.#options.m ? isLineStart : isStart)
      case '$':
        this.#at++
        return anchor(this.#options.m ? isLineEnd : isEndOrLastLine)
      case '\\':
        return this.#escape()
    }
    if (/[*+?]/.test(character) || QUANTIFIER.test(this.#pattern.slice(this.#at)))
      this.#fail(`the quantifier "${character}" follows nothing`)
    this.#at++
    return this.#literal(character)
  }

  #group(): RegexNode | undefined {
    const rest = this.#pattern.slice(this.#at)
    const named = readNamedGroup(rest)
    if (named !== undefined) return this.#enclosed(named.opening, (node) => capture(named.name, node))
    if (!rest.startsWith('(?')) {
      if (this.#options.n) return this.#enclosed('(', (node) => node)
      const name = String(++this.#unnamed)
      return this.#enclosed('(', (node) => capture(name, node))
    }
    for (const [opening, build] of OPENINGS)
      if (rest.startsWith(opening)) return this.#enclosed(opening, build)
    const options = OPTIONS.exec(rest)
    if (options !== null) return this.#withOptions(options)
    const refused = REFUSED_GROUPS.find(([form]) => form.test(rest))
    return this.#fail(refused?.[1] ?? `"${rest.slice(0, 4)}" does not open a group that .NET knows`)
  }

  #enclosed(opening: string, build: (node: RegexNode) => RegexNode): RegexNode {
    const open = this.#at
    this.#at += opening.length
    const node = this.#choice()
    if (this.#peek() !== ')') throw new RegexError('"(" is not closed', open)
    this.#at++
    return build(node)
  }

  /** (?i) holds to the end of the enclosing group, (?i:…) for its own. */
  #withOptions([whole, on = '', off = '', end]: RegExpExecArray): RegexNode | undefined {
    const before = this.#options
    const set = (letters: string, value: boolean) =>
      Object.fromEntries([...letters].map((key) => [key, value]))
    this.#options = { ...before, ...set(on, true), ...set(off, false) }
    if (end === ':') {
      const node = this.#enclosed(whole, (inner) => inner)
      this.#options = before
      return node
    }
    this.#at += whole.length
    return undefined
  }

  #quantified(node: RegexNode): RegexNode {
    this.#skipComments()
    const quantifier = QUANTIFIER.exec(this.#pattern.slice(this.#at))
    if (quantifier === null) return node
    const [whole, sign, least, comma, most] = quantifier
    const at = this.#at
    this.#at += whole.length
    const lazy = this.#peek() === '?'
    if (lazy) this.#at++
    if (QUANTIFIER.test(this.#pattern.slice(this.#at)))
      this.#fail(`the quantifier "${this.#peek()}" follows a quantifier`)
    const [min, max] = sign === undefined ? counted(least, comma, most) : (SIGNS[sign] ?? [1, 1])
    if (min > max) throw new RegexError(`the quantifier "${whole}" has a range in reverse order`, at)
    return { kind: 'repeat', node, min, max, lazy }
  }

  #escape(): RegexNode {
    const at = this.#at
    const rest = this.#pattern.slice(at + 1)
    const [character = ''] = rest
    const test = ANCHORS[character]
    if (test !== undefined) {
      this.#at += 2
      return anchor(test)
    }
    const named = /^k(?:<(\w+)>|'(\w+)')/.exec(rest)
    if (named !== null) return this.#backreference(named[1] ?? named[2] ?? '', named[0].length + 1)
    const number = /^[1-9]\d*/.exec(rest)?.[0]
    if (number !== undefined && (number.length === 1 || findGroup(this.#groups, number) !== undefined))
      return this.#backreference(number, number.length + 1)
    return this.#set(this.#classEscape() ?? this.#characterTest(this.#characterEscape()))
  }

  #backreference(reference: string, length: number): RegexNode {
    const name = findGroup(this.#groups, reference)
    if (name === undefined) return this.#fail(`there is no group "${reference}" to refer to`)
    this.#at += length
    return { kind: 'backreference', name, ignoreCase: this.#options.i }
  }

  /** \d, \w, \s, \p{…} and their opposites; undefined for another escape. */
  #classEscape(): CharacterTest | undefined {
    const rest = this.#pattern.slice(this.#at + 1)
    const known = CLASSES[rest[0] ?? '']
    if (known !== undefined) {
      this.#at += 2
      return known
    }
    if (!/^[pP]/.test(rest)) return undefined
    const name = /^.\{(\w+)\}/.exec(rest)?.[1]
    const test = name === undefined ? undefined : categoryTest(name)
    if (name === undefined || test === undefined)
      return this.#fail(`"\\${rest.slice(0, 12)}": only general categories such as \\p{Lu} are supported`)
    this.#at += name.length + 4
    return rest.startsWith('P') ? not(test) : test
  }

  /** The character that an escape stands for. */
  #characterEscape(): string {
    const rest = this.#pattern.slice(this.#at + 1)
    const [character = ''] = rest
    const code = /^(?:x([\dA-Fa-f]{2})|u([\dA-Fa-f]{4}))/.exec(rest)
    const octal = /^[0-7]{1,3}/.exec(rest)?.[0]
    const control = /^c([A-Za-z@[\]\\^_])/.exec(rest)
    if (code !== null) return this.#advance(code[0].length + 1, Number.parseInt(code[1] ?? code[2] ?? '', 16))
    if (octal !== undefined) return this.#advance(octal.length + 1, Number.parseInt(octal, 8) & 0xff)
    if (control !== null) return this.#advance(3, (control[1] ?? '').toUpperCase().charCodeAt(0) ^ 64)
    const known = CHARACTERS[character]
    if (known === undefined && (character === '' || isBoundaryWord(character)))
      this.#fail(
        character === '' ? 'the pattern ends with a single "\\"' : `"\\${character}" is not an escape`,
      )
    this.#at += 2
    return known ?? character
  }

  #advance(length: number, code: number): string {
    this.#at += length
    return String.fromCharCode(code)
  }

  /** [a-z], [^a-z], [a-z-[aeiou]]. */
  #class(): CharacterTest {
    const open = this.#at++
    const negative = this.#peek() === '^'
    if (negative) this.#at++
    const tests: CharacterTest[] = []
    let except: CharacterTest | undefined
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      if (this.#at >= this.#pattern.length) throw new RegexError('"[" is not closed', open)
      if (!first && this.#pattern.startsWith('-[', this.#at)) {
        this.#at++
        except = this.#class()
        if (this.#peek() !== ']') this.#fail('a subtracted class must be the last part of its class')
      } else tests.push(this.#classItem())
    }
    this.#at++
    const any: CharacterTest = (character) => tests.some((test) => test(character))
    const cased = this.#options.i ? ignoringCase(any) : any
    const included = negative ? not(cased) : cased
    return except === undefined ? included : minus(included, except)
  }

  #classItem(): CharacterTest {
    const fromEscape = this.#peek() === '\\' ? this.#classEscape() : undefined
    if (fromEscape !== undefined) return fromEscape
    const at = this.#at
    const from = this.#classCharacter()
    const isRange = this.#peek() === '-' && !/^-[\][]/.test(this.#pattern.slice(this.#at))
    if (!isRange) return (character) => character === from
    this.#at++
    if (this.#peek() === '\\' && /[dDwWsSpP]/.test(this.#pattern[this.#at + 1] ?? ''))
      this.#fail('a range cannot end with a class')
    const to = this.#classCharacter()
    if (from > to) throw new RegexError(`the range "${from}-${to}" is in reverse order`, at)
    return (character) => character >= from && character <= to
  }

  #classCharacter(): string {
    if (this.#pattern.startsWith('\\b', this.#at)) return this.#advance(2, 8)
    if (this.#peek() === '\\') return this.#characterEscape()
    const character = this.#peek()
    this.#at++
    return character
  }

  #literal(character: string): RegexNode {
    return this.#set(this.#characterTest(character))
  }

  #characterTest(wanted: string): CharacterTest {
    const test: CharacterTest = (character) => character === wanted
    return this.#options.i ? ignoringCase(test) : test
  }

  #set(matches: CharacterTest): RegexNode {
    return { kind: 'set', matches }
  }

  #peek(): string {
    return this.#pattern[this.#at] ?? ''
  }

  #fail(message: string): never {
    throw new RegexError(message, this.#at)
  }
}

const QUANTIFIER = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})/
const SIGNS: Readonly<Record<string, readonly [number, number]>> = {
  '*': [0, Number.POSITIVE_INFINITY],
  '+': [1, Number.POSITIVE_INFINITY],
  '?': [0, 1],
}

function counted(least = '', comma = '', most = ''): readonly [number, number] {
  const min = Number(least)
  if (comma === '') return [min, min]
  return [min, most === '' ? Number.POSITIVE_INFINITY : Number(most)]
}

function capture(name: string, node: RegexNode): RegexNode {
  return { kind: 'capture', name, node }
}

function anchor(holds: AnchorTest): RegexNode {
  return { kind: 'anchor', holds }
}

function minus(included: CharacterTest, except: CharacterTest): CharacterTest {
  return (character) => included(character) && !except(character)
}

function look(direction: 'ahead' | 'behind', negative: boolean): (node: RegexNode) => RegexNode {
  return (node) => ({ kind: 'look', direction, negative, node })
}

const OPENINGS: readonly (readonly [string, (node: RegexNode) => RegexNode])[] = [
  ['(?:', (node) => node],
  ['(?=', look('ahead', false)],
  ['(?!', look('ahead', true)],
  ['(?<=', look('behind', false)],
  ['(?<!', look('behind', true)],
  ['(?>', (node) => ({ kind: 'atomic', node })],
]

const REFUSED_GROUPS: readonly (readonly [RegExp, string])[] = [
  [/^\(\?\(/, 'conditions, (?(…)yes|no), are not supported'],
  [/^\(\?[<'](\w*)-(\w+)[>']/, "balancing groups, (?<a-b>…) or (?'a-b'…), are not supported"],
]

const isStart: AnchorTest = (_text, at) => at === 0
const isEnd: AnchorTest = (text, at) => at === text.length
const isLineStart: AnchorTest = (text, at) => at === 0 || text[at - 1] === '\n'
const isLineEnd: AnchorTest = (text, at) => at === text.length || text[at] === '\n'
const isEndOrLastLine: AnchorTest = (text, at) =>
  at === text.length || (at === text.length - 1 && text[at] === '\n')
const isBoundary: AnchorTest = (text, at) =>
  isBoundaryWord(text[at - 1] ?? ' ') !== isBoundaryWord(text[at] ?? ' ')

const ANCHORS: Readonly<Record<string, AnchorTest | undefined>> = {
  A: isStart,
  z: isEnd,
  Z: isEndOrLastLine,
  G: (_text, at, start) => at === start,
  b: isBoundary,
  B: (text, at, start) => !isBoundary(text, at, start),
}

const CLASSES: Readonly<Record<string, CharacterTest | undefined>> = {
  d: isDigit,
  D: not(isDigit),
  w: isWord,
  W: not(isWord),
  s: isSpace,
  S: not(isSpace),
}

const CHARACTERS: Readonly<Record<string, string | undefined>> = {
  a: '\u0007',
  e: '\u001b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}
