/**
 * Comparing an export with the directory: a form with a file, and the differences.
 */
import { type Difference, type DriftResult, MATCH_KEYS } from '../../drift/difference.ts'
import { Badge, EmptyState, PageHead, Section, type Tone } from '../components/blocks.tsx'
import { Fact } from '../components/fact.tsx'
import { Field, type FormError, FormNotice, Select } from '../components/form.tsx'
import { number } from '../components/number.ts'
import { tenantPaths } from '../components/paths.ts'
import { ChangeForm } from '../components/permitted.tsx'
import { ValueText } from '../components/value.tsx'
import type { Administrator } from '../env.ts'
import { Layout, type PageTenant } from '../layout.tsx'

export interface DriftForm {
  readonly match: string
  readonly group: string
  readonly format: string
}

export interface DriftPageProps {
  readonly administrator: Administrator
  readonly tenant: PageTenant
  readonly form: DriftForm
  readonly error: FormError | undefined
  readonly result: DriftResult | undefined
}

/** Differences on the page; the CSV and JSON files have all. */
const MAX_SHOWN = 500

export function DriftPage(props: DriftPageProps) {
  const { administrator, tenant, result } = props
  return (
    <Layout title="Compare an export" administrator={administrator} tenant={tenant} current="directory">
      <PageHead
        title="Compare an export"
        lead="What is missing, extra or different, compared with an export of the source. Nothing is changed."
      />
      {result && <Result result={result} />}
      <FileForm {...props} />
    </Layout>
  )
}

function FileForm({ tenant, form, error }: DriftPageProps) {
  const keys = MATCH_KEYS.map((key) => [key, key] as const)
  return (
    <ChangeForm class="panel" action={tenantPaths(tenant.id).drift} enctype="multipart/form-data">
      <FormNotice error={error} fields={[]} />
      <Field
        id="file"
        name="file"
        label="File"
        hint="CSV of the Entra admin center, answers of Microsoft Graph or of a SCIM server, or a directory file; in UTF-8"
        control={(attributes) => <input {...attributes} type="file" required />}
      />
      <Field
        id="group"
        name="group"
        label="Group"
        hint="For a CSV file with the members of one group: its name"
        control={(attributes) => <input {...attributes} value={form.group} autocomplete="off" />}
      />
      <Field
        id="match"
        name="match"
        label="Match users by"
        control={(attributes) => (
          <Select
            attributes={attributes}
            value={form.match}
            options={[['', 'what matches most of the first 1,000'], ...keys]}
          />
        )}
      />
      <Field
        id="format"
        name="format"
        label="Result"
        control={(attributes) => (
          <Select
            attributes={attributes}
            value={form.format}
            options={[
              ['', 'On this page'],
              ['csv', 'CSV file'],
              ['json', 'JSON file'],
            ]}
          />
        )}
      />
      <button type="submit" class="primary">
        Compare
      </button>
    </ChangeForm>
  )
}

const VERDICTS: Readonly<Record<DriftResult['verdict'], readonly [Tone, string]>> = {
  same: ['ok', 'Same'],
  different: ['warn', 'Different'],
  unrelated: ['danger', 'Another tenant?'],
}

function Result({ result }: { result: DriftResult }) {
  const { verdict, summary, users, groups, members, notes, differences, differenceCount } = result
  const [tone, label] = VERDICTS[verdict]
  return (
    <>
      <Section id="result" title="Result" aside={<Badge tone={tone}>{label}</Badge>}>
        <p>{summary}</p>
        <dl class="facts">
          {[['Users', users] as const, ['Groups', groups] as const].map(([name, counts]) => (
            <Fact name={name}>
              {number(counts.exported)} exported, {number(counts.missing)} missing, {number(counts.extra)}{' '}
              extra, {number(counts.different)} different
            </Fact>
          ))}
          <Fact name="Members">
            {number(members.missing)} missing, {number(members.extra)} extra
          </Fact>
        </dl>
        <ul class="notes">
          {notes.map((note) => (
            <li>{note}</li>
          ))}
        </ul>
      </Section>
      {verdict !== 'unrelated' && (
        <section class="panel" aria-label="Differences">
          {differences.length === 0 ? (
            <EmptyState title="No differences." />
          ) : (
            <Differences differences={differences.slice(0, MAX_SHOWN)} />
          )}
          {differenceCount > MAX_SHOWN && (
            <p class="more">
              The first {number(MAX_SHOWN)} of {number(differenceCount)} differences. Choose a CSV or JSON
              file for more.
            </p>
          )}
        </section>
      )}
    </>
  )
}

function Differences({ differences }: { differences: readonly Difference[] }) {
  return (
    <table class="stack">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Difference</th>
          <th scope="col">Attribute</th>
          <th scope="col">Export</th>
          <th scope="col">Directory</th>
        </tr>
      </thead>
      <tbody>
        {differences.map(({ kind, resourceType, name, attribute, exported, stored }) => (
          <tr>
            <th scope="row">{name}</th>
            <td data-label="Difference">
              {resourceType} · {kind}
            </td>
            <td data-label="Attribute">{attribute ?? '—'}</td>
            <td data-label="Export">
              <ValueText value={exported} />
            </td>
            <td data-label="Directory">
              <ValueText value={stored} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
