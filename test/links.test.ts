/** The relative links in the documentation: each leads to a file of the repository, and to a heading in it. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((file) => existsSync(resolve(ROOT, file)))

/** The targets of links and images, except absolute URLs and code. */
function targetsOf(markdown: string): readonly string[] {
  const text = markdown.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`(?!\])/g, '')
  return [...text.matchAll(/\]\(\s*([^)\s]+)\s*\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
}

/** The anchors of headings, as GitHub derives them. */
function anchorsOf(markdown: string): readonly string[] {
  return [...markdown.replace(/```[\s\S]*?```/g, '').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}

describe('the relative links in the documentation', () => {
  it('are found', () => {
    expect(files).toContain('README.md')
    expect(targetsOf(readFileSync(resolve(ROOT, 'README.md'), 'utf8'))).toContain('docs/protocol/limits.md')
  })

  it.for(files)('lead from %s to existing files and headings', (file) => {
    const broken = targetsOf(readFileSync(resolve(ROOT, file), 'utf8')).filter((target) => {
      const [path = '', anchor] = target.split('#')
      const to = path === '' ? resolve(ROOT, file) : resolve(ROOT, dirname(file), path)
      if (!existsSync(to)) return true
      return anchor !== undefined && !anchorsOf(readFileSync(to, 'utf8')).includes(anchor)
    })
    expect(broken).toEqual([])
  })
})
