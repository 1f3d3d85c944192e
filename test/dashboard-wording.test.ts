/**
 * Wordings that the dashboard and the errors of the server never have: they read like another language, like a picture, or
 * blame the reader. Comments are not looked at.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const SOURCE = resolve(import.meta.dirname, '../src')
/** The folders whose texts reach an administrator or a client. */
const FOLDERS = ['admin', 'http', 'scim', 'provider', 'storage', 'edge', 'jwt', 'drift', 'self-hosted']

/** The wording, and what to write. */
const NEVER = [
  [
    /\b(?:is|are|was|were) no (?!longer\b|more than\b)(?:[A-Z]+|[a-z-]+)(?=[",.;`']|$)(?<!there (?:is|are|was|were) no \S+)/,
    '"is not a …" or "there is no …"',
  ],
  [/\bAll of (?:these|it|them)\b/, '"all …" with the noun'],
  [/\bin the line\b/i, 'the number of the line'],
  [/\bnot (?:\w+ )?any ?more\b/i, '"no longer"'],
  [/\bunusually much\b|\bback and\b(?! forth)/i, '"an unusual amount of"'],
  [/\bplease\b|\bsorry\b|\boops\b|\bsuccessfully\b/i, 'what happened, and what to do'],
  [/\bclick (?:here|on)\b/i, 'the name of the link or the button'],
  [/\binvalid input\b|\billegal\b|\bbad value\b/i, 'what was found, and what is allowed'],
  [/\blog ?in\b(?!g|\.(?:partner\.)?microsoftonline)|\bsign ?up\b/i, '"sign in"'],
  [/\bwhitelist|\bblacklist|\bsanity\b/i, '"allowed", "refused", "check"'],
  [/\be\.g\.|\bi\.e\.|\betc\./i, '"such as", "that is"'],
] as const satisfies readonly (readonly [RegExp, string])[]

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
}

/** The lines of a file without its comments. */
function linesOf(file: string): readonly string[] {
  const text = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, (comment) =>
    comment.replace(/[^\n]/g, ''),
  )
  return text.split('\n')
}

describe('the texts of the server', () => {
  const lines = FOLDERS.flatMap((folder) => filesIn(join(SOURCE, folder))).flatMap((file) =>
    linesOf(file).map((line, i) => ({ at: `${relative(SOURCE, file)}:${i + 1}`, line: line.trim() })),
  )

  it.each(NEVER)('never have %s, but %s', (wording) => {
    expect(lines.length).toBeGreaterThan(10_000)
    expect(lines.filter(({ line }) => wording.test(line))).toEqual([])
  })

  it('lead to a page and not to the admin API, where they are of a page', () => {
    const ofPages = lines.filter(({ at }) => /^admin\/(?:pages|components|routes)\//.test(at))
    expect(ofPages.length).toBeGreaterThan(3_000)
    expect(ofPages.filter(({ line }) => /\b(?:GET|POST|PUT|PATCH|DELETE) \/admin\/api\b/.test(line))).toEqual(
      [],
    )
  })

  it('would be found', () => {
    const faults = ['the body is no JSON', 'All of these are gone', 'an error in the line', 'please log in']
    expect(faults.filter((fault) => !NEVER.some(([wording]) => wording.test(fault)))).toEqual([])
    const fine = ['there is no webhook', 'it is no longer valid', 'the body is not JSON', 'no more than 5']
    expect(fine.filter((text) => NEVER.some(([wording]) => wording.test(text)))).toEqual([])
  })
})
