/**
 * What a SCIM request would do: a form, and the result.
 */
import { MAX_SHOWN_ANSWER_CHARACTERS } from '../../scim/limits.ts'
import type { OfferedClient } from '../../storage/access/clients.ts'
import { Badge, Notice, PageHead, Section } from '../components/blocks.tsx'
import { ChangeTable } from '../components/change-table.tsx'
import { Fact } from '../components/fact.tsx'
import { Field, type FormError, FormNotice, Select } from '../components/form.tsx'
import { number } from '../components/number.ts'
import { tenantPaths } from '../components/paths.ts'
import { ChangeForm } from '../components/permitted.tsx'
import { ValueText } from '../components/value.tsx'
import type { Administrator } from '../env.ts'
import type { Explained } from '../explain/explain.ts'
import { Layout, type PageTenant } from '../layout.tsx'

/** The values of the form. */
export interface ExplainForm {
  readonly method: string
  readonly path: string
  readonly body: string
  readonly client: string
}

export interface ExplainPageProps {
  readonly administrator: Administrator
  readonly tenant: PageTenant
  readonly clients: readonly OfferedClient[]
  readonly form: ExplainForm
  readonly error: FormError | undefined
  readonly explained: Explained | undefined
  /** Whether the body is that of a log entry, and parts of it were left out. */
  readonly isShortened?: boolean
}

const EXPLAINED_METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

export function ExplainPage(props: ExplainPageProps) {
  const { administrator, tenant, explained } = props
  return (
    <Layout title="Explain a request" administrator={administrator} tenant={tenant} current="log">
      <PageHead
        title="Explain a request"
        parent={['Provisioning log', tenantPaths(tenant.id).log]}
        lead="What a SCIM request would do. Nothing is stored, logged or sent."
      />
      {props.isShortened && (
        <Notice tone="warn" title="The body is shortened.">
          <p>
            The log keeps the beginning of a long request only. What is explained can differ from what the
            client sent.
          </p>
        </Notice>
      )}
      {explained && <Result explained={explained} />}
      <RequestForm {...props} />
    </Layout>
  )
}

function RequestForm({ tenant, clients, form, error }: ExplainPageProps) {
  const methods = EXPLAINED_METHODS.map((method) => [method, method] as const)
  const senders = clients.map(({ id, name }) => [id, name] as const)
  return (
    <ChangeForm class="panel" action={tenantPaths(tenant.id).explain}>
      <FormNotice error={error} fields={['path', 'body']} />
      <Field
        id="method"
        name="method"
        label="Method"
        control={(attributes) => <Select attributes={attributes} value={form.method} options={methods} />}
      />
      <Field
        id="path"
        name="path"
        label="Path"
        hint="Below the Tenant URL, with its query, such as /Users?filter=userName eq &quot;a@b.example&quot;"
        error={error}
        control={(attributes) => <input {...attributes} value={form.path} required autocomplete="off" />}
      />
      <Field
        id="body"
        name="body"
        label="Body"
        hint="JSON, for POST, PUT and PATCH. The log keeps the bodies of refused writes, with “(not kept)” for secrets."
        error={error}
        control={(attributes) => (
          <textarea {...attributes} rows={10} spellcheck={false}>
            {form.body}
          </textarea>
        )}
      />
      <Field
        id="client"
        name="client"
        label="Client"
        hint="The request has the rights of this client."
        control={(attributes) => (
          <Select attributes={attributes} value={form.client} options={[['', 'Administrator'], ...senders]} />
        )}
      />
      <button type="submit" class="primary">
        Explain
      </button>
    </ChangeForm>
  )
}

function Result({ explained }: { explained: Explained }) {
  const { status, refusal, answer, list, log, members, changes } = explained
  return (
    <>
      <Section
        id="result"
        title="Result"
        aside={
          <Badge tone={refusal ? 'danger' : 'ok'}>{`${refusal ? 'Refused' : 'Accepted'} ${status}`}</Badge>
        }
      >
        {refusal && (
          <Notice tone="danger" title={`${status} ${refusal.scimType ?? ''}`.trim()}>
            <p>{refusal.detail}</p>
            {refusal.cause && <p>{refusal.cause}</p>}
            {refusal.fix && <p>{refusal.fix}</p>}
          </Notice>
        )}
        {changes.length > 0 && <ChangeTable changes={changes} />}
        <dl class="facts">
          {members.added.length > 0 && (
            <Fact name="Members added">{<ValueText value={members.added} />}</Fact>
          )}
          {members.removed.length > 0 && (
            <Fact name="Members removed">{<ValueText value={members.removed} />}</Fact>
          )}
          <Fact name="Log entry">
            {log === null ? 'None' : `${log.resourceType} · ${log.action} · ${log.outcome} ${log.status}`}
          </Fact>
          {log !== null && log.ignored.length > 0 && <Fact name="Ignored">{log.ignored.join(', ')}</Fact>}
          <Fact name="Events">
            <Events explained={explained} />
          </Fact>
        </dl>
      </Section>
      {list && <List list={list} />}
      {answer !== null && <Answer answer={answer} />}
    </>
  )
}

/** A list of users may have millions of characters. */
function Answer({ answer }: { answer: unknown }) {
  const text = JSON.stringify(answer, null, 2)
  const isLong = text.length > MAX_SHOWN_ANSWER_CHARACTERS
  const shown = isLong ? text.slice(0, text.lastIndexOf('\n', MAX_SHOWN_ANSWER_CHARACTERS)) : text
  return (
    <Section id="answer" title="Answer">
      {isLong && (
        <p>
          The answer has {number(text.length)} characters as shown here. These are the first{' '}
          {number(shown.length)}.
        </p>
      )}
      <section class="scroll" tabindex={0} aria-label="Body of the answer">
        <pre>{shown.toWellFormed()}</pre>
      </section>
    </Section>
  )
}

function Events({ explained: { events, eventCount } }: { explained: Explained }) {
  if (eventCount === 0) return <>None</>
  const kinds = [...new Set(events.map(({ type }) => type))]
  return (
    <>
      {number(eventCount)}: {kinds.join(', ')}
    </>
  )
}

/** How a list is answered. */
function List({ list }: { list: NonNullable<Explained['list']> }) {
  const { isIndexed, indexes, tests, scanned, estimatedMs, allowedMs, indexed } = list
  return (
    <Section
      id="list"
      title="How the list is answered"
      aside={<Badge tone={isIndexed ? 'ok' : 'warn'}>{isIndexed ? 'By an index' : 'Without an index'}</Badge>}
    >
      {!isIndexed && (
        <p>
          {number(scanned ?? 0)} resources are looked through, in about {number(estimatedMs ?? 0)} ms. The
          limit is {number(allowedMs)} ms.
        </p>
      )}
      <dl class="facts">
        {indexes.length > 0 && <Fact name="Indexes in use">{indexes.join(', ')}</Fact>}
        {tests.map(({ resourceType, test, isIndexed: hasIndex }) => (
          <Fact name={`${resourceType}: ${test}`}>{hasIndex ? 'An index answers it' : 'No index'}</Fact>
        ))}
        {indexed.map((text) => (
          <Fact name="An index answers">{text}</Fact>
        ))}
      </dl>
    </Section>
  )
}
