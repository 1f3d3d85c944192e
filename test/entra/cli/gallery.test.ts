/** `check --suite gallery` on the command line. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type GalleryFault, galleryServer, refuse } from '../support/gallery-server.ts'
import { serveStore, type TestServer } from '../support/http-server.ts'
import { type CliResult, runCli } from '../support/run-cli.ts'
import { CLIENT_ID, CLIENT_SECRET } from '../support/token-endpoint.ts'

let server: TestServer

beforeEach(() => {
  vi.stubEnv('ENTRA_CLIENT_SECRET', CLIENT_SECRET)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await server.close()
})

async function check(fault: GalleryFault, ...options: string[]): Promise<CliResult> {
  server = await serveStore(await galleryServer(fault))
  return runCli(['check', '--suite', 'gallery', '--tenant-url', server.tenantUrl, ...options])
}

async function checkWithClient(...options: string[]): Promise<CliResult> {
  server = await serveStore(await galleryServer())
  const client = ['--token-endpoint', `${server.origin}/oauth/token`, '--client-id', CLIENT_ID]
  const target = ['--tenant-url', server.tenantUrl, '--auth', 'client-credentials', ...client]
  return runCli(['check', '--suite', 'gallery', ...target, ...options])
}

describe('check --suite gallery', () => {
  it('says what failed with Microsoft’s words, the condition, and the requests', async () => {
    const refuses: GalleryFault = {
      respond: ({ line }) => (line.startsWith('POST /Groups') ? refuse() : undefined),
    }
    const { stdout, code } = await check(refuses, '--token', 'a-secret-token')
    expect(code).toBe(3)
    expect(stdout).toContain('  PASSED    1  Create_User_Test\n')
    expect(stdout).toContain('  SKIPPED  21  Validate_Credentials_Test\n')
    expect(stdout).toContain(
      '  FAILED   13  POD_Group_Test\n' +
        '               Microsoft: FAILED - Action: POD_SCIM_Get_Group - group not found on SCIM endpoint\n' +
        '               Passes if provisionOnDemand succeeds, the group is found, and the log has a Create\n',
    )
    expect(stdout).toContain('               | POST /Groups: HTTP 400\n')
    expect(stdout).toMatch(/\nOverall result: Failed \(13 passed, 3 warning, 7 failed, 2 skipped\)\n/)
    expect(stdout).toContain('  Neither Validate_Credentials_Test nor Federated_Identity_Test passed')
    expect(stdout).not.toContain('a-secret-token')
  })

  it('succeeds with 24 passed tests with client credentials, and prints JSON', async () => {
    const { stdout, code } = await checkWithClient('--json')
    const { overall, results } = JSON.parse(stdout)
    expect([code, overall]).toEqual([0, 'Succeeded'])
    const outcomes = Object.groupBy(results, ({ outcome }: { outcome: string }) => outcome)
    expect(outcomes.PASSED).toHaveLength(24)
    expect(outcomes.SKIPPED).toMatchObject([{ name: 'Federated_Identity_Test' }])
    expect(stdout).not.toContain(CLIENT_SECRET)
  })

  it('refuses an unknown suite and a federation without client credentials', async () => {
    const unknown = await check({}, '--token', 'x', '--suite', 'okta')
    expect([unknown.code, unknown.stderr]).toEqual([2, '--suite must be "entra" or "gallery", got "okta"\n'])
    await server.close()
    const alone = await check({}, '--token', 'a-secret-token', '--federated-client-id', 'x')
    expect([alone.code, alone.stderr]).toEqual([
      2,
      '--federated-client-id needs --auth client-credentials, to test both\n',
    ])
  })
})
