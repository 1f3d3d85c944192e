/**
 * Reads JSON and YAML files and reports problems with file, line and field. JSON.parse reads JSON, because it is fast
 * for large directories; the slower parser determines the lines, and runs only if there are problems to report.
 */
import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'
import { describePath, type FieldPath, type Problem, parseJson } from '../../problem.ts'
import { UsageError } from '../usage-error.ts'
import { fileReason } from './file-error.ts'

export interface SourceDocument {
  readonly file: string
  readonly text: string
  readonly value: unknown
}

/** The maximum number of problems to report. */
const MAX_SHOWN = 20

/** @throws {UsageError} if the file cannot be read or is not valid JSON or YAML. */
export function readDocument(file: string, what: string): SourceDocument {
  const text = readText(file, what)
  return { file, text, value: parseText(file, text, what) }
}

/** @throws {UsageError} */
export function readText(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    throw new UsageError(`Cannot read the ${what} "${file}": ${fileReason(error)}`)
  }
}

function parseText(file: string, text: string, what: string): unknown {
  if (!/^\.ya?ml$/i.test(extname(file))) {
    try {
      return parseJson(text)
    } catch (error) {
      const known = /position (\d+)/.exec(String(error))
      const line =
        known === null ? text.split('\n').length : text.slice(0, Number(known[1])).split('\n').length
      throw new UsageError(
        `${file}:${line}: the ${what} is not valid JSON: ${error instanceof Error ? error.message : error}`,
      )
    }
  }
  const refuse = (line: number, message: string): never => {
    throw new UsageError(`${file}:${line}: the ${what} is not valid YAML: ${message}`)
  }
  try {
    const document = parseDocument(text, { lineCounter: new LineCounter(), prettyErrors: true })
    const [error] = document.errors
    return error === undefined ? document.toJS() : refuse(error.linePos?.[0].line ?? 1, error.message)
  } catch (error) {
    // Aliases that multiply.
    if (error instanceof ReferenceError) return refuse(1, error.message)
    throw error
  }
}

/** @throws {UsageError} with one line for each problem, if there are any. */
export function throwProblems(source: SourceDocument, problems: readonly Problem[], what: string): void {
  if (problems.length === 0) return
  const lineOf = lineFinder(source.text)
  const shown = problems
    .slice(0, MAX_SHOWN)
    .map(({ path, message }) => `  ${source.file}:${lineOf(path)}: ${describePath(path)} ${message}`)
  const more = problems.length > MAX_SHOWN ? [`  … and ${problems.length - MAX_SHOWN} more`] : []
  const count = problems.length === 1 ? '1 error' : `${problems.length} errors`
  throw new UsageError([`The ${what} has ${count}; nothing was sent.`, ...shown, ...more].join('\n'))
}

/** Finds the line of a path, or of its longest existing part. The YAML parser also accepts JSON. */
function lineFinder(text: string): (path: FieldPath) => number {
  const lines = new LineCounter()
  const { contents } = parseDocument(text, { lineCounter: lines })
  return (path) => {
    let node: unknown = contents
    let offset = offsetOf(contents) ?? 0
    for (const key of path) {
      const pair = isMap(node)
        ? node.items.find((item) => isScalar(item.key) && item.key.value === key)
        : undefined
      const next: unknown = isSeq(node) && typeof key === 'number' ? node.items[key] : pair?.value
      offset = offsetOf(pair?.key) ?? offsetOf(next) ?? offset
      node = next
    }
    return lines.linePos(offset).line
  }
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0]
}
