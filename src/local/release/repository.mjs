/**
 * The public address of the repository: of this one or of a fork. Nothing in the files names it, because a fork would
 * have to change it everywhere. docs/development.md tells what a fork sets.
 */
import { execFileSync } from 'node:child_process'
import process from 'node:process'
import { ROOT } from '../toolchain.mjs'

/** The place of the address in a link of the documents. */
const PLACEHOLDER = 'OWNER/REPOSITORY'

/**
 * The address that a workflow of GitHub or the remote "origin" of the clone names.
 *
 * @returns {string | undefined} such as "https://github.com/quillfern/scim-worker"; undefined if it is not on the web
 */
export function repositoryAddress() {
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY } = process.env
  if (GITHUB_SERVER_URL && GITHUB_REPOSITORY) return `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}`
  return addressOfRemote(remote())
}

/**
 * @param {string} text the URL of a remote: https://HOST/PATH, ssh://git@HOST/PATH or git@HOST:PATH
 * @returns {string | undefined}
 */
export function addressOfRemote(text) {
  const found =
    /^(?:(?:https|ssh):\/\/(?:[^@/]*@)?|git@)([a-z\d-]+(?:\.[a-z\d-]+)+)[:/](.+?)(?:\.git)?\/?$/i.exec(text)
  return found === null ? undefined : `https://${found[1]}/${found[2]}`
}

function remote() {
  try {
    const args = ['remote', 'get-url', 'origin']
    return execFileSync('git', args, {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return '' // A clone without this remote, or a folder that is not a clone.
  }
}

/**
 * The links of a document that a fork has not set yet.
 *
 * @param {string} name of the file
 * @param {string} markdown
 * @returns {readonly string[]} one line each
 */
export function placeholderProblems(name, markdown) {
  const links = [...withoutCode(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
  return links
    .filter((target) => target.includes(PLACEHOLDER))
    .map(
      (target) =>
        `${name} has the link ${target}; put the address of your repository in place of ${PLACEHOLDER}`,
    )
}

/**
 * A document for the package: links to files that are not packed lead to the repository, or become text if it has no
 * address.
 *
 * @param {string} markdown
 * @param {readonly string[]} packed the names of the packed files
 * @param {string | undefined} files the address of the files of this version, such as "https://github.com/o/r/blob/v1.0.0"
 */
export function packedDocument(markdown, packed, files) {
  return markdown.replace(/\[([^\]]*)\]\(\s*([^)\s]+)\s*\)/g, (link, label, target) => {
    if (/^[a-z]+:|^#/.test(target) || packed.includes(target.split('#')[0])) return link
    return files === undefined ? label : `[${label}](${files}/${target})`
  })
}

/** @param {string} markdown */
function withoutCode(markdown) {
  return markdown.replace(/```[\s\S]*?```/g, '').replace(/`[^`\n]*`/g, '')
}
