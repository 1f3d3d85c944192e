/** The checks of a release, and the files that they are about. test/release/ builds and runs what is released. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { releaseNotes, versionProblems, workflowProblems } from '../../src/local/release/checks.mjs'
import { addressOfRemote, packedDocument, placeholderProblems } from '../../src/local/release/repository.mjs'
import { ROOT } from '../../src/local/toolchain.mjs'

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const FILES = {
  manifest: read('package.json'),
  lockfile: read('package-lock.json'),
  source: read('src/admin/version.ts'),
  changelog: read('CHANGELOG.md'),
}
const { version } = JSON.parse(FILES.manifest) as { version: string }

describe('a release', () => {
  it('has one version, in every place and in its tag', () => {
    expect(versionProblems(FILES, undefined)).toEqual([])
    expect(versionProblems(FILES, `v${version}`)).toEqual([])
    expect(versionProblems(FILES, 'v9.9.9')).toEqual([`the tag has "9.9.9", and package.json "${version}"`])
  })

  it.for([
    ['source', `VERSION = '${version}'`, "VERSION = '9.9.9'", 'src/admin/version.ts has "9.9.9"'],
    ['lockfile', `"version": "${version}"`, '"version": "9.9.9"', 'package-lock.json has "9.9.9"'],
    ['changelog', `## [${version}]`, '## [9.9.9]', 'CHANGELOG.md, the newest version has "9.9.9"'],
  ] as const)('is refused if another version is in: %s', ([file, present, other, expected]) => {
    const problems = versionProblems({ ...FILES, [file]: FILES[file].replace(present, other) }, undefined)
    expect(problems).toEqual([`${expected}, and package.json "${version}"`])
  })

  it('has the section of its version as notes', () => {
    const notes = releaseNotes(FILES.changelog, version)
    expect(notes).toMatch(/^### Added\n/)
    expect(notes).not.toMatch(/^## /m)
    expect(releaseNotes(FILES.changelog, '9.9.9')).toBe('')
  })
})

describe('the address of the repository', () => {
  it.for([
    ['https://github.com/quillfern/scim.git', 'https://github.com/quillfern/scim'],
    ['https://token@gitlab.com/group/sub/scim/', 'https://gitlab.com/group/sub/scim'],
    ['git@github.com:quillfern/scim.git', 'https://github.com/quillfern/scim'],
    ['ssh://git@github.com/quillfern/scim', 'https://github.com/quillfern/scim'],
    ['/srv/git/scim', undefined],
    ['', undefined],
  ] as const)('of the remote %j is %j', ([remote, expected]) => {
    expect(addressOfRemote(remote)).toBe(expected)
  })

  it('is missing in a link, which stops a release, until a copy sets it', () => {
    const link = 'https://deploy.example/?url=https://github.com/OWNER/REPOSITORY'
    expect(placeholderProblems('README.md', `In place of \`OWNER/REPOSITORY\`: [Deploy](${link})`)).toEqual([
      `README.md has the link ${link}; put the address of your repository in place of OWNER/REPOSITORY`,
    ])
    expect(placeholderProblems('README.md', `\`\`\`md\n[Deploy](${link})\n\`\`\``)).toEqual([])
    expect(placeholderProblems('README.md', '[Deploy](https://github.com/quillfern/scim)')).toEqual([])
  })

  it('leads from documents of the package to files that it lacks; without one, the links become text', () => {
    const text = 'See [A](docs/a.md#b), [B](LICENSE), [C](https://x.example) and [D](#d).'
    expect(packedDocument(text, ['LICENSE'], undefined)).toBe(
      'See A, [B](LICENSE), [C](https://x.example) and [D](#d).',
    )
    expect(packedDocument(text, ['LICENSE'], 'https://github.com/o/r/blob/v1')).toContain(
      '[A](https://github.com/o/r/blob/v1/docs/a.md#b), [B](LICENSE)',
    )
  })
})

describe('a workflow', () => {
  const names = readdirSync(join(ROOT, '.github/workflows'))
  const workflow = (name: string) => parse(read(`.github/workflows/${name}`))
  const runs = (name: string, job: string): readonly string[] =>
    workflow(name).jobs[job].steps.flatMap(({ run }: { run?: string }) => run ?? [])

  it.for(names)('%s has pinned actions, and can only read unless a job says more', (name) => {
    expect(workflowProblems(name, workflow(name))).toEqual([])
  })

  it('with an action of a branch, or with more permissions, is refused', () => {
    const steps = [{ uses: 'actions/checkout@v7' }]
    expect(workflowProblems('x.yml', { permissions: { contents: 'write' }, jobs: { a: { steps } } })).toEqual(
      [
        'x.yml: "actions/checkout@v7" is not pinned by its commit',
        'x.yml: "permissions" of the workflow must be "contents: read", and more only in a job',
      ],
    )
  })

  it('runs the same checks as a developer, and a release only after them', () => {
    expect(runs('ci.yml', 'checks')).toEqual(['bash .ci/run'])
    const [first, second = '', last = ''] = runs('release.yml', 'release')
    expect(first).toBe('bash .ci/run')
    expect(second).toMatch(/^npm run release -- --dry-run --tag "\$GITHUB_REF_NAME" /)
    expect(last).toContain('--notes-file dist/release-notes.md dist/release/*')
  })
})

it.for(readdirSync(join(ROOT, '.github/ISSUE_TEMPLATE')).filter((name) => name !== 'config.yml'))(
  'the issue form %s has a name, a description, and fields with labels and different ids',
  (name) => {
    const form = parse(read(`.github/ISSUE_TEMPLATE/${name}`)) as {
      body: { type: string; id?: string; attributes: { label?: string; options?: string[] } }[]
    }
    expect(form).toMatchObject({ name: expect.any(String), description: expect.any(String) })
    const fields = form.body.filter(({ type }) => type !== 'markdown')
    for (const { type, attributes } of fields) {
      expect(['input', 'textarea', 'dropdown']).toContain(type)
      expect(attributes.label).toEqual(expect.any(String))
      expect(type !== 'dropdown' || (attributes.options?.length ?? 0) > 1).toBe(true)
    }
    expect(new Set(fields.map(({ id }) => id)).size).toBe(fields.length)
  },
)
