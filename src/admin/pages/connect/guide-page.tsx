/**
 * The guide of one provider: the application, its credential, the fields, the mappings, the start, and what has been seen.
 */
import type { Child } from 'hono/jsx'
import { isPublicName } from '../../../provider/webhooks/webhook-url.ts'
import type { OfferedClient } from '../../../storage/access/clients.ts'
import type { CredentialKind } from '../../../storage/access/replacements.ts'
import { Notice, PageHead, Section } from '../../components/blocks.tsx'
import { CredentialForm, type CredentialInput } from '../../components/credential-form.tsx'
import type { FormError } from '../../components/form.tsx'
import { tenantPaths } from '../../components/paths.ts'
import { Permitted } from '../../components/permitted.tsx'
import type { Administrator } from '../../env.ts'
import { Layout } from '../../layout.tsx'
import { GuideFields, type KnownValues } from './fields.tsx'
import { GuideMappings } from './mappings.tsx'
import { MarkedNotes, MarkedSteps, MarkedText } from './marked-text.tsx'
import { type WatchProps, WatchSection } from './watch-section.tsx'

export interface GuidePageProps extends Omit<WatchProps, 'others'> {
  readonly administrator: Administrator
  /** The clients that may write. */
  readonly clients: readonly OfferedClient[]
  readonly values: KnownValues
  /** The kind of the credential of this page; undefined before one was generated. */
  readonly kind: CredentialKind | undefined
  /** An id for the credential that the form generates. */
  readonly newId: string
  readonly input: CredentialInput
  readonly error: FormError | undefined
  /** A message about the last action. */
  readonly done: string | undefined
}

/** Whether the page has a token or secret, which is shown once. */
function isNew({ values }: GuidePageProps): boolean {
  return values.token !== undefined || values.secret !== undefined
}

export function GuidePage(props: GuidePageProps) {
  const { administrator, tenant, guide, client, clients, done } = props
  const paths = tenantPaths(tenant.id)
  const others = clients.filter(({ id }) => id !== client?.id)
  return (
    <Layout title={`Connect ${guide.name}`} administrator={administrator} tenant={tenant} current="connect">
      <PageHead title={guide.name} lead={guide.application} parent={['Connect', paths.connect]}>
        <a class="button quiet to-watch" href="#watch">
          What has been seen
        </a>
        <button type="button" class="quiet live" id="live" data-every="5000" hidden>
          Live
        </button>
      </PageHead>
      {done && (
        <p class="notice ok" role="status">
          {done}
        </p>
      )}
      {isNew(props) && <ShownOnce {...props} />}
      <div class="guide">
        <div>
          <Step id="application" number={1} title="Add the application">
            <MarkedSteps steps={guide.addSteps} />
          </Step>
          <Step id="credential" number={2} title="Generate the credential">
            <Credential {...props} />
          </Step>
          <Step id="values" number={3} title="Enter the values">
            <MarkedSteps steps={guide.fieldSteps} />
            <Unreachable tenantUrl={props.values.tenantUrl} />
            <GuideFields guide={guide} values={props.values} kind={props.kind} />
            <p>
              <MarkedText text={guide.testStep} />
            </p>
          </Step>
          <Step id="mappings" number={4} title="Check the mappings">
            <MarkedSteps steps={guide.mappingSteps} />
            <GuideMappings guide={guide} />
          </Step>
          <Step id="start" number={5} title="Start">
            <MarkedSteps steps={guide.startSteps} />
            <h3>What success looks like</h3>
            <MarkedNotes notes={guide.success} />
            {guide.older !== undefined && (
              <>
                <h3>In older versions</h3>
                <MarkedNotes notes={guide.older} />
              </>
            )}
            <h3>Good to know</h3>
            <MarkedNotes
              notes={[
                ...(guide.groups === undefined ? [] : [groupLimitText(tenant.groupLimit)]),
                ...guide.notes,
                "The names of pages and fields are those of the provider's documents, read in November 2026.",
              ]}
            />
          </Step>
        </div>
        <WatchSection {...props} others={others} />
      </div>
    </Layout>
  )
}

/** Identity providers are services on the internet. A client on the same machine or network reaches such an address. */
function Unreachable({ tenantUrl }: { readonly tenantUrl: string | undefined }) {
  if (tenantUrl === undefined) return null
  const { protocol, hostname } = new URL(tenantUrl)
  if (protocol === 'https:' && isPublicName(hostname)) return null
  return (
    <Notice tone="warn" title="A service on the internet cannot use this address">
      <p>
        It needs <code>https:</code>, a public name and a public certificate. Open the dashboard at the public
        address of the server, or set <code>PUBLIC_URL</code>, before you copy the values. For a trial on this
        machine or in this network, the address is right.
      </p>
    </Notice>
  )
}

function groupLimitText(limit: number): string {
  return `This tenant accepts up to ${limit} groups. Further ones are refused, and named in the provisioning log.`
}

function Step(props: { id: string; number: number; title: string; children: Child }) {
  const { id, number, title, children } = props
  return (
    <Section id={id} title={`${number}. ${title}`}>
      {children}
    </Section>
  )
}

function Credential(props: GuidePageProps): Child {
  const { tenant, guide, path, newId, clients, input, error, kind, client } = props
  const paths = tenantPaths(tenant.id)
  if (isNew(props)) {
    return <p>It is generated: its values are below. {client && <>Its client is “{client.name}”.</>}</p>
  }
  return (
    <>
      {kind !== undefined && (
        <p>
          The credential of this page is generated, and is not shown again. If it is lost, generate another
          one, and revoke the first under <a href={paths.apiKeys}>API Keys</a>.
        </p>
      )}
      {guide.credentialHint !== undefined && (
        <p class="muted">
          <MarkedText text={guide.credentialHint} />
        </p>
      )}
      <Permitted otherwise={<p>It can be generated by an administrator with the role “admin”.</p>}>
        {guide.canFederate && (
          <p class="muted">
            If it offers <b>Workload identity federation</b>,{' '}
            <a href={`${paths.apiKeys}/federation`}>connect by federation</a>, without a secret.
          </p>
        )}
        <CredentialForm
          action={`${path.split('?')[0]}?credential=${newId}`}
          newId={newId}
          clients={clients}
          kinds={guide.credentials}
          hasScope={guide.mayOnlyRead === true}
          input={input}
          error={error}
        />
      </Permitted>
    </>
  )
}

/** The only page that shows the token or the secret. */
function ShownOnce({ kind, path }: GuidePageProps) {
  const word = kind === 'secret' ? 'secret' : 'token'
  return (
    <Notice tone="warn" title={`Copy the ${word} now. It will not be shown again.`}>
      <p>
        It is below, under <a href="#values">Enter the values</a>. Only a hash of it is stored. If you lose
        it, generate another one.
      </p>
      <p class="actions">
        <a class="button quiet" href={path}>
          I have copied it
        </a>
      </p>
    </Notice>
  )
}
