/** The command `issuer`: serves assertions in place of login.microsoftonline.com until Ctrl-C. */
import { FAULTS, type Fault, isFault } from '../../issuer/faults.ts'
import { DEFAULT_IDENTITY, type WorkloadIdentity } from '../../issuer/identity.ts'
import { visible } from '../../visible-text.ts'
import { issuerOptions } from '../access.ts'
import { signedDurationOption } from '../duration.ts'
import { interrupted } from '../interrupted.ts'
import { startIssuer } from '../issuer-server.ts'
import { choiceOption, type OptionValues, textOption } from '../options.ts'
import { offsetClock, systemClock } from '../system-clock.ts'
import { describeTrust } from '../trust.ts'
import { UsageError } from '../usage-error.ts'
import type { CommandContext } from './command.ts'

/**
 * Exit code 0 after Ctrl-C.
 * @throws {UsageError}
 */
export async function issuer({ values, output }: CommandContext): Promise<number> {
  const identity = identityOption(values)
  const server = await startIssuer({
    ...issuerOptions(values),
    identity,
    faults: faultOption(values),
    clock: offsetClock(systemClock, signedDurationOption(values, 'clock-skew') ?? 0),
    onRequest: (line) => output.write(`${visible(line)}\n`),
  })
  const { applicationId } = identity
  const application =
    applicationId === DEFAULT_IDENTITY.applicationId ? '' : ` --application-id ${applicationId}`
  output.write(
    `The emulated issuer listens on ${server.origin}.\n${describeTrust(server.origin, identity)}\nProvision with --auth federated --issuer ${server.issuer.addresses.issuer}${application}\nPress Ctrl-C to end.\n`,
  )
  await interrupted()
  await server.close()
  return 0
}

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

function identityOption(values: OptionValues): WorkloadIdentity {
  return {
    tenantId: guidOption(values, 'tenant-id') ?? DEFAULT_IDENTITY.tenantId,
    applicationId: guidOption(values, 'application-id') ?? DEFAULT_IDENTITY.applicationId,
    objectId: guidOption(values, 'object-id') ?? DEFAULT_IDENTITY.objectId,
    audience: choiceOption(values, 'audience', ['guid', 'uri']) ?? DEFAULT_IDENTITY.audience,
  }
}

function guidOption(values: OptionValues, name: string): string | undefined {
  const text = textOption(values, name)
  if (text !== undefined && !GUID.test(text)) throw new UsageError(`--${name} must be a GUID, got "${text}"`)
  return text
}

function faultOption(values: OptionValues): ReadonlySet<Fault> {
  const names = textOption(values, 'fault')?.split(',') ?? []
  return new Set(
    names.map((name) => {
      if (isFault(name)) return name
      throw new UsageError(`Unknown fault "${name}": expected one of ${Object.keys(FAULTS).join(', ')}`)
    }),
  )
}
