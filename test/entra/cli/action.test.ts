/** The composite action in .github/actions/check: its script runs `check` with options that exist. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { runCli } from '../support/run-cli.ts'

const ROOT = join(import.meta.dirname, '../../..')
const action = parse(readFileSync(join(ROOT, '.github/actions/check/action.yml'), 'utf8'))
const [step] = action.runs.steps
const script: string = step.run

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'entra-action-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** Runs the script with an `npx` that prints its arguments, writes a summary and ends with a code. */
function runScript(variables: Record<string, string>, code = 0) {
  const npx = join(folder, 'npx')
  writeFileSync(
    npx,
    `#!/bin/sh\nprintf '%s\\n' "$@"\necho '## Check' > "$RUNNER_TEMP/scim-check-summary.md"\nexit ${code}\n`,
  )
  chmodSync(npx, 0o755)
  const summary = join(folder, 'summary.md')
  const environment: Record<string, string> = {
    ...{ PATH: `${folder}:${process.env.PATH}`, RUNNER_TEMP: folder, GITHUB_STEP_SUMMARY: summary },
    ...{ TENANT_URL: 'https://scim.example', SUITE: 'entra', REPORT: '', PACKAGE: './scim-worker.tgz' },
    ...{ ENTRA_SECRET_TOKEN: 'a-secret-token', ...variables },
  }
  // worker-configuration.d.ts declares the variables of the Worker for every process.
  const env = environment as NodeJS.ProcessEnv
  const { stdout, status } = spawnSync('bash', ['-e', '-c', script], { env, encoding: 'utf8' })
  return { arguments: stdout.trim().split('\n'), status, summary: readFileSync(summary, 'utf8') }
}

describe('the action', () => {
  it('takes a token from a variable, runs check, and adds the Markdown report to the summary', () => {
    const ran = runScript({ REPORT: 'html=out.html' })
    const report = `md=${folder}/scim-check-summary.md,html=out.html`
    expect(ran.arguments).toEqual([
      ...['--yes', '--package', './scim-worker.tgz', 'scim-worker', 'check'],
      ...['--tenant-url', 'https://scim.example'],
      ...['--suite', 'entra', '--report', report],
    ])
    expect(ran).toMatchObject({ status: 0, summary: '## Check\n' })
  })

  it('ends with the code of check, after the summary, and runs nothing that an input contains', () => {
    const hostile = '$(touch injected)"; touch injected; "'
    const ran = runScript({ TENANT_URL: hostile }, 3)
    expect(ran).toMatchObject({ status: 3, summary: '## Check\n' })
    expect(ran.arguments[6]).toBe(hostile)
    expect(script).not.toContain('${{')
  })

  it('has inputs that its variables use, and options that check knows', async () => {
    const used = Object.values<string>(step.env).map((value) => /inputs\.([\w-]+)/.exec(value)?.[1])
    expect(used.toSorted()).toEqual(Object.keys(action.inputs).toSorted())
    const { stdout } = await runCli(['check', '--help'])
    const options = [...script.matchAll(/(?<=[ (])--[a-z][\w-]+/g)].map(([name]) => name)
    const known = options.filter((name) => !['--yes', '--package'].includes(name))
    expect(known.length).toBe(4)
    expect(known.filter((name) => !stdout.includes(`${name} `))).toEqual([])
  })

  it('has no package by default, because a name in a registry may belong to somebody else', () => {
    expect(action.inputs.package).toEqual({ description: expect.any(String), required: true })
  })
})
