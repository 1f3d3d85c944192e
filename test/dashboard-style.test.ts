/**
 * The style sheet of the dashboard has one visual language: colours, space, type and corners are named in tokens.ts, and
 * the rest of it uses the names.
 */
import { describe, expect, it } from 'vitest'
import { STYLE } from '../src/admin/assets/style.ts'
import { TOKENS } from '../src/admin/assets/tokens.ts'

const RULES = STYLE.slice(TOKENS.length).replace(/\/\*[\s\S]*?\*\//g, '')
const DECLARATIONS = [...RULES.matchAll(/(?<=[{;])\s*([a-z-]+)\s*:\s*([^;{}]+?)\s*(?=[;}])/g)].map(
  ([, property = '', value = '']) => ({ property, value }),
)
const COLOUR =
  /#[0-9a-f]{3,8}\b|\b(?:rgb|hsl|oklch|light-dark|color-mix)\(|\b(?:white|black|red|gray|grey)\b/i
const SPACE_OR_TYPE = /^(?:margin|padding|gap|row-gap|column-gap|font-size|border-radius)(?:-|$)|-radius$/
/** A token, or a value that is not a size. */
const ALLOWED = /^(?:0|auto|inherit|50%|var\(--[\w-]+\)|(?:calc|clamp)\(.*var\(--[\w-]+\).*\))$/
/** Offsets that belong to a measure of the layout, by what they belong to. */
const LAYOUT = new Map([
  ['padding-left: 8.1rem', 'the width of a label in a stacked table'],
  ['margin-left: -8.1rem', 'the same'],
  ['padding-top: 12vh', 'the sign-in page is a third down'],
])

describe('the style sheet', () => {
  it('has no colour outside of the tokens', () => {
    expect(DECLARATIONS.length).toBeGreaterThan(300)
    expect(DECLARATIONS.filter(({ value }) => COLOUR.test(value))).toEqual([])
  })

  it('has no space, size of type or corner outside of the tokens', () => {
    const raw = DECLARATIONS.filter(({ property }) => SPACE_OR_TYPE.test(property))
      .filter(({ property, value }) => !LAYOUT.has(`${property}: ${value}`))
      .filter(({ value }) => !parts(value).every((part) => ALLOWED.test(part)))
    expect(raw).toEqual([])
  })

  it('uses every token, and only tokens that exist', () => {
    const named = new Set([...TOKENS.matchAll(/(--[\w-]+):/g)].map(([, name]) => name))
    const used = new Set([...STYLE.matchAll(/var\((--[\w-]+)\)/g)].map(([, name]) => name))
    expect([...used].filter((name) => !named.has(name))).toEqual([])
    expect([...named].filter((name) => !used.has(name))).toEqual([])
  })

  it.each(['light', 'dark'] as const)('has enough contrast in the %s scheme', (scheme) => {
    const pairs = TEXT_ON.map(([text, ground, least]) => ({
      pair: `${text} on ${ground}`,
      isEnough: contrast(colour(text, scheme), colour(ground, scheme)) >= least,
    }))
    expect(pairs.filter(({ isEnough }) => !isEnough)).toEqual([])
  })
})

/** WCAG 2.2: 4.5 for text (1.4.3), 3 for controls and graphics (1.4.11). */
const TEXT_ON = [
  ...['text', 'muted', 'accent', 'danger', 'warn', 'ok'].flatMap((text) =>
    ['page', 'surface', 'sunken'].map((ground) => [text, ground, 4.5] as const),
  ),
  ...['ok', 'warn', 'danger'].map((tone) => [tone, `${tone}-soft`, 4.5] as const),
  ['muted', 'off-soft', 4.5],
  ['current-text', 'current', 4.5],
  ['on-fill', 'fill', 4.5],
  ['on-fill', 'fill-hover', 4.5],
  ['on-fill', 'fill-danger', 4.5],
  ['on-fill', 'fill-danger-hover', 4.5],
  ['toast-text', 'toast', 4.5],
  ['line-strong', 'control', 3],
  ['line-strong', 'surface', 3],
  ...['creates', 'updates', 'disables', 'deletes', 'refused'].map((kind) => [kind, 'surface', 3] as const),
] as const

function parts(value: string): readonly string[] {
  return value.match(/[\w-]+\((?:[^()]|\([^()]*\))*\)|\S+/g) ?? []
}

/** @returns red, green and blue from 0 to 1 */
function colour(token: string, scheme: 'light' | 'dark'): readonly number[] {
  const value = new RegExp(`--${token}: ([^;]+);`).exec(TOKENS)?.[1] ?? ''
  const found = value.match(/#[0-9a-f]+/g) ?? []
  const hex = (scheme === 'dark' ? found.at(-1) : found[0])?.slice(1) ?? ''
  const six = hex.length === 3 ? [...hex].map((digit) => digit + digit).join('') : hex
  return [0, 2, 4].map((at) => Number.parseInt(six.slice(at, at + 2), 16) / 255)
}

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(one: readonly number[], other: readonly number[]): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(rgb: readonly number[]): number {
  const [red = 0, green = 0, blue = 0] = rgb.map((c) =>
    c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4,
  )
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
