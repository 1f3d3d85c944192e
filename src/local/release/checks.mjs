/** What must be true of the files of a release. Pure. */

/** Those of the binaries. */
export const ARCHITECTURES = ['x64', 'arm64']

/**
 * @typedef {object} VersionFiles the texts that name the version
 * @property {string} manifest package.json
 * @property {string} lockfile package-lock.json
 * @property {string} source src/admin/version.ts
 * @property {string} changelog CHANGELOG.md
 */

/**
 * @param {VersionFiles} files
 * @param {string | undefined} tag such as "v1.2.3"; undefined if there is none yet
 * @returns {readonly string[]} what does not agree, one line each
 */
export function versionProblems({ manifest, lockfile, source, changelog }, tag) {
  const { version } = JSON.parse(manifest)
  const locked = JSON.parse(lockfile)
  const found = [
    ['package-lock.json', locked.version],
    ['package-lock.json, packages', locked.packages['']?.version],
    ['src/admin/version.ts', /VERSION = '([^']+)'/.exec(source)?.[1]],
    ['CHANGELOG.md, the newest version', /^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$/m.exec(changelog)?.[1]],
    ['the tag', tag === undefined ? version : tag.replace(/^v/, '')],
  ]
  return found
    .filter(([, other]) => other !== version)
    .map(([where, other]) => `${where} has "${other}", and package.json "${version}"`)
}

/**
 * The section of a version in CHANGELOG.md, without its heading.
 *
 * @param {string} changelog
 * @param {string} version
 */
export function releaseNotes(changelog, version) {
  const sections = changelog.split(/^## /m)
  const section = sections.find((text) => text.startsWith(`[${version}] `)) ?? ''
  return section.slice(section.indexOf('\n')).trim()
}

/**
 * @param {string} name of the file
 * @param {{ permissions?: unknown, jobs?: Record<string, { steps?: { uses?: string, run?: string }[] }> } | undefined} workflow the parsed YAML
 * @returns {readonly string[]} what is wrong, one line each
 */
export function workflowProblems(name, workflow) {
  const jobs = Object.values(workflow?.jobs ?? {})
  const steps = jobs.flatMap((job) => job.steps ?? [])
  const loose = steps.flatMap(({ uses }) => (uses === undefined || /@[0-9a-f]{40}$/.test(uses) ? [] : [uses]))
  return [
    ...(steps.length === 0 ? [`${name} has no steps`] : []),
    ...loose.map((uses) => `${name}: "${uses}" is not pinned by its commit`),
    ...(JSON.stringify(workflow?.permissions) === '{"contents":"read"}'
      ? []
      : [`${name}: "permissions" of the workflow must be "contents: read", and more only in a job`]),
  ]
}
