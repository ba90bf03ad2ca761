// The Node peer of the benchmarks: the same five operations over the same database with Mercurius, JIT and loaders.
//
// As fast as such a server reasonably is: one statement per relation and level, prepared under a name; only the columns
// that are asked for; pages cut in SQL; moments, references and cursors written by PostgreSQL. What an anonymous person
// sees follows db/access/.
//
// `server.mjs [PORT]`, or `PORT` in the environment: 0, which is a free one, where none is given. It says its port on
// standard output. The database is `DATABASE` of the server whose socket is in the directory `SOCKET`; without that
// variable it is a contender of bench.py: the target is JSON on standard input, whose end is also the server's.

import { once } from 'node:events'
import { createInterface } from 'node:readline'

import fastify from 'fastify'
import mercurius from 'mercurius'
import pg from 'pg'

const LARGEST_PAGE = 100
const DEFAULT_PAGE = 20

// -- the schema: what the operations need of schema.graphql ------------------------------------------------------------

const ASSET_FIELDS = `
  id: ID!
  title: String!
  owner: Artist!
  state: AssetState!
  createdAt: DateTime
  madeOn: Date
  derivedCount: Int
  badges: [Badge!]!
  policy: PermissionPolicy
  credits(first: Int): CreditConnection!
  splits(first: Int): SplitConnection!
  media(first: Int): MediaConnection!
  parents(first: Int): LineageEdgeConnection!
  children(first: Int): LineageEdgeConnection!
  provenance(first: Int): ProvenanceEventConnection!
`
const connection = (type) => `
  type ${type}Connection { edges: [${type}Edge!]! nodes: [${type}!]! pageInfo: PageInfo! }
  type ${type}Edge { node: ${type}! cursor: String! }
`
const CONNECTED = ['Credit', 'Split', 'Media', 'LineageEdge', 'ProvenanceEvent', 'Release', 'ReleaseItem', 'ReleaseVersion']
const SCHEMA = `
  scalar Date
  scalar DateTime
  enum Acceptance { PROPOSED ACCEPTED DECLINED }
  enum ArtistKind { CREATOR FAN DUO GROUP LABEL ESTATE SCENE }
  enum AssetState { PRIVATE UNLISTED PUBLIC ARCHIVED WITHDRAWN }
  enum Badge {
    HUMAN_MADE NO_AI_USED AI_ASSISTED GENERATED GENERATED_VISUAL_WORLD REMIX CO_CREATED DERIVATIVE
  }
  enum CreditRole {
    MAIN_ARTIST FEATURED_ARTIST COMPOSER LYRICIST ARRANGER PRODUCER MIXING_ENGINEER MASTERING_ENGINEER REMIXER
    INSTRUMENTALIST VOCALIST VISUAL_ARTIST
  }
  enum Decision { ALLOWED LICENSE_REQUIRED CONTACT_OWNER DENIED }
  enum EdgeKind {
    SAMPLES REMIX_OF MASHUP_OF EDIT_OF DJ_MIX_OF COMPILATION_OF KARAOKE_OF STEM_OF ALTERNATE_OF VERSION_OF
    DERIVED_FROM COVER_OF INTERPOLATES GENERATED_FROM USES_INSTRUMENT INSPIRED_BY
  }
  enum EdgeStatus { CLAIMED CONFIRMED REJECTED DISPUTED }
  enum EventKind {
    ASSET_CREATED ASSET_UPDATED MEDIA_ATTACHED HOOK_CHANGED LINEAGE_CHANGED ASSET_MERGED RELEASE_CREATED
    VERSION_CREATED MANIFEST_GENERATED MANIFEST_SIGNED MANIFEST_ANCHORED RELEASE_PUBLISHED RELEASE_WITHDRAWN
    CONTRIBUTORS_UPDATED PERMISSIONS_CHANGED DERIVATIVE_REGISTERED LICENSE_GRANTED ACCESS_GRANTED ANCHOR_VERIFIED
  }
  enum Layer { MASTER COMPOSITION }
  enum Level { AGENT_RULE VERSION ASSET ARTIST PLATFORM }
  enum LicenseFamily {
    CC0 CC_BY CC_BY_SA CC_BY_NC CC_BY_ND CC_BY_NC_SA CC_BY_NC_ND GPL ALL_RIGHTS_RESERVED OPEN_TO_REMIX CUSTOM
  }
  enum MediaRole { MASTER PREVIEW COVER LOOP SOURCE }
  enum Pool { MASTER PUBLISHING }
  enum ReleaseKind { SINGLE EP ALBUM MIXTAPE DEMO }
  enum ReleaseStatus { DRAFT SCHEDULED PUBLISHED ARCHIVED WITHDRAWN }
  enum SignatureState { UNSIGNED SIGNED VERIFIED INVALID }
  enum SeedSource { COVER CURATED CUSTOM }
  enum Texture { NONE PAPER FILM_GRAIN HALFTONE DENIM TAPE LINEN STATIC VINYL CHROME }
  enum Use {
    REMIX STEMS SYNC VISUAL_REUSE AI_TRAINING AI_GENERATION DERIVATIVE_REGISTRATION COMMERCIAL_USE
  }
  enum VersionState { DRAFT PUBLISHED SUPERSEDED WITHDRAWN }

  interface Node { id: ID! }
  interface Asset implements Node { ${ASSET_FIELDS} }
  type Track implements Asset & Node { ${ASSET_FIELDS} durationMs: Int bpm: Float }
  type Sample implements Asset & Node { ${ASSET_FIELDS} }
  type Instrument implements Asset & Node { ${ASSET_FIELDS} }
  type Release implements Asset & Node {
    ${ASSET_FIELDS}
    releaseKind: ReleaseKind
    status: ReleaseStatus
    publishedAt: DateTime
    upc: String
    label: String
    hook: Hook
    currentVersion: ReleaseVersion
    items(first: Int): ReleaseItemConnection!
  }
  type Artist implements Node {
    id: ID! handle: String! name: String! kind: ArtistKind! claimed: Boolean! createdAt: DateTime!
  }
  type Contributor implements Node { id: ID! name: String! }
  type Credit implements Node {
    id: ID! role: CreditRole! instrument: String acceptance: Acceptance! position: Int! contributor: Contributor!
    asset: Asset
  }
  type Dossier {
    release: Release!
    version: ReleaseVersion
    versions(first: Int): ReleaseVersionConnection!
    manifest: ReleaseManifest
    policy: PermissionPolicy
    credits(first: Int): CreditConnection!
    splits(first: Int): SplitConnection!
    parents(first: Int): LineageEdgeConnection!
    children(first: Int): LineageEdgeConnection!
    provenance(first: Int): ProvenanceEventConnection!
  }
  type Hook implements Node {
    id: ID! startMs: Int! endMs: Int! durationMs: Int! caption: String badges: [Badge!]! track: Track
  }
  type LineageEdge implements Node { id: ID! kind: EdgeKind! status: EdgeStatus! child: Asset parent: Asset }
  type Media implements Node { id: ID! role: MediaRole! sha256: String! mimeType: String }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type PermissionPolicy implements Node {
    id: ID!
    level: Level!
    licenseFamily: LicenseFamily!
    license: String
    validFrom: DateTime
    terms: [PermissionTerm!]!
  }
  type PermissionTerm {
    use: Use! layer: Layer decision: Decision! attribution: Boolean! shareAlike: String price: Price
  }
  type Price { amountMinor: Int! currency: String! }
  type ProvenanceEvent implements Node { id: ID! sequence: Int! kind: EventKind! at: DateTime! hash: String! }
  type ReleaseItem implements Node { id: ID! position: Int! title: String asset: Asset }
  type ReleaseManifest { hash: String! signatureState: SignatureState! createdAt: DateTime! }
  type ReleaseVersion implements Node {
    id: ID! number: Int! state: VersionState! title: String publishedAt: DateTime
  }
  type Split implements Node {
    id: ID! pool: Pool! basisPoints: Int! acceptance: Acceptance! contributor: Contributor! asset: Asset
  }
  type Theme implements Node {
    id: ID!
    seed: ThemeSeed!
    tokens: ThemeTokens!
    texture: Texture!
    textureOpacity: Float!
    typography: String
    motion: String
  }
  type ThemeSeed { source: SeedSource! hue: Int! saturation: Int! lightness: Int! }
  type ThemeTokens {
    base: String!
    surface: String!
    accent: String!
    glow: String!
    gradientEnd: String!
    footerStart: String!
    footerEnd: String!
  }
  type VisualWorld implements Node { id: ID! title: String texture: String colour: String motion: String }
  type World {
    handle: String!
    name: String!
    tagline: String
    artist: Artist!
    theme: Theme
    visualWorld: VisualWorld
    leadHook: Hook
    releases(first: Int): ReleaseConnection!
  }
  ${CONNECTED.map(connection).join('')}
  type Query {
    asset(id: ID!): Asset release(id: ID!): Release dossier(releaseId: ID!): Dossier world(handle: String!): World
  }
`
const KINDS = { TRACK: 'Track', SAMPLE: 'Sample', INSTRUMENT: 'Instrument', RELEASE: 'Release' }

// -- where fields live -------------------------------------------------------------------------------------------------

// A field is its SQL; or what has to be selected instead of it: the key a loader goes by, the fields of an inline object.
const keyed = (name, sql) => ({ [name]: sql })
const inline = (fields) => ({ inline: fields })
const moment = (sql) => `to_char(${sql}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
const named = (names, alias, more) => ({ ...Object.fromEntries(names.map((name) => [name, `${alias}.${snake(name)}`])), ...more })
const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const SHOWN = "a.state NOT IN ('WITHDRAWN', 'PRIVATE')"
const REACHED = "(a.state IN ('PUBLIC', 'ARCHIVED', 'WITHDRAWN') OR a.teased)"
const LISTED = "(a.state = 'PUBLIC' OR a.teased)"
const READ = "(a.state <> 'PRIVATE' OR a.teased)"
const shown = (sql) => `CASE WHEN ${SHOWN} THEN ${sql} END`
const holds = (alias) => `upper_inf(${alias}.known) AND ${alias}.valid @> now()`

const ARTIST_FIELDS = named(['handle', 'name', 'kind', 'claimed'], 'w', { id: 'w.ref', createdAt: moment('w.created_at') })
const ASSET_KEY = keyed('_asset', shown('a.id'))
const VERSION_KEY = keyed('_version', shown('r.current_version_id'))

// `select` is taken in any case; `joins` where an alias occurs; `where` is the predicate of being reached.
const TABLES = {
  Asset: {
    from: 'asset a',
    joins: { // by no key where it is of another kind, or nothing of it is shown
      't.': `LEFT JOIN track t ON t.id = CASE WHEN a.kind = 'TRACK' AND ${SHOWN} THEN a.id END`,
      'r.': "LEFT JOIN release r ON r.id = CASE WHEN a.kind = 'RELEASE' AND a.state <> 'WITHDRAWN' THEN a.id END"
    },
    select: { _id: 'a.id', _kind: 'a.kind' },
    where: REACHED,
    fields: {
      id: 'a.ref',
      title: 'a.title',
      state: 'a.state',
      owner: keyed('_owner', 'a.owner_id'),
      createdAt: shown(moment('a.created_at')),
      madeOn: shown("to_char(a.made_on, 'YYYY-MM-DD')"),
      derivedCount: shown('a.derived_count'),
      badges: `CASE WHEN ${SHOWN} THEN a.badges ELSE '{}' END`,
      policy: ASSET_KEY,
      credits: ASSET_KEY,
      splits: ASSET_KEY,
      media: ASSET_KEY,
      parents: ASSET_KEY,
      children: ASSET_KEY,
      provenance: ASSET_KEY,
      durationMs: 't.duration_ms',
      bpm: 't.bpm::float8',
      releaseKind: shown('r.release_kind'),
      status: shown('r.status'),
      publishedAt: shown(moment('r.published_at')),
      upc: shown('r.upc'),
      label: shown('r.label'),
      hook: keyed('_hook', 'r.lead_hook_id'),
      currentVersion: VERSION_KEY,
      items: VERSION_KEY
    }
  },
  Artist: { from: 'artist w', select: { _id: 'w.id' }, fields: ARTIST_FIELDS },
  World: {
    from: 'artist w',
    select: { _id: 'w.id' },
    fields: named(['handle', 'name', 'tagline'], 'w', {
      artist: inline(ARTIST_FIELDS),
      theme: keyed('_theme', 'w.theme_id'),
      visualWorld: keyed('_visual', 'w.visual_id'),
      leadHook: keyed('_hook', 'w.lead_hook_id'),
      releases: {}
    })
  },
  Theme: {
    from: 'theme x',
    select: { _id: 'x.id' },
    fields: named(['texture', 'textureOpacity', 'typography', 'motion'], 'x', {
      id: 'x.ref',
      seed: inline({ source: 'x.seed_source', hue: 'x.seed_hue', saturation: 'x.seed_saturation', lightness: 'x.seed_lightness' }),
      tokens: inline(named(['base', 'surface', 'accent', 'glow', 'gradientEnd', 'footerStart', 'footerEnd'], 'x'))
    })
  },
  VisualWorld: {
    from: 'visual_world v',
    select: { _id: 'v.id' },
    where: "v.state = 'ACTIVE'",
    fields: named(['title', 'texture', 'colour', 'motion'], 'v', { id: 'v.ref' })
  },
  Hook: {
    from: 'hook h',
    select: { _id: 'h.id' },
    fields: named(['startMs', 'endMs', 'caption', 'badges'], 'h', {
      id: 'h.ref',
      durationMs: 'h.end_ms - h.start_ms',
      track: keyed('_track', 'h.track_id')
    })
  },
  ReleaseVersion: {
    from: 'release_version n',
    select: { _id: 'n.id' },
    where: "n.state <> 'DRAFT'",
    fields: named(['number', 'state', 'title'], 'n', { id: 'n.ref', publishedAt: moment('n.published_at') })
  },
  ReleaseManifest: {
    from: 'manifest f',
    select: { _id: 'f.id' },
    fields: {
      hash: 'f.hash',
      createdAt: moment('f.created_at'),
      signatureState:
        "CASE WHEN f.proof IS NULL THEN 'UNSIGNED' ELSE coalesce((SELECT CASE WHEN l.passed THEN 'VERIFIED' " +
        "ELSE 'INVALID' END FROM manifest_check l WHERE l.manifest_id = f.id AND l.kind = 'SIGNATURE' " +
        "ORDER BY l.created_at DESC, l.id DESC LIMIT 1), 'SIGNED') END"
    }
  },
  ReleaseItem: {
    from: 'release_item i',
    select: { _id: 'i.id' },
    fields: named(['position', 'title'], 'i', { id: 'i.ref', asset: keyed('_asset', 'i.asset_id') })
  },
  Contributor: { from: 'contributor p', select: { _id: 'p.id' }, fields: { id: 'p.ref', name: 'p.name' } },
  Credit: {
    from: 'credit c',
    select: { _id: 'c.id' },
    where: "c.acceptance <> 'DECLINED'",
    fields: named(['role', 'instrument', 'acceptance', 'position'], 'c', {
      id: 'c.ref',
      contributor: keyed('_contributor', 'c.contributor_id'),
      asset: keyed('_asset', 'c.asset_id')
    })
  },
  Split: {
    from: 'split s',
    select: { _id: 's.id' },
    where: `${holds('s')} AND s.acceptance <> 'DECLINED'`,
    fields: named(['pool', 'basisPoints', 'acceptance'], 's', {
      id: 's.ref',
      contributor: keyed('_contributor', 's.contributor_id'),
      asset: keyed('_asset', 's.asset_id')
    })
  },
  PermissionPolicy: {
    from: 'policy q',
    select: { _id: 'q.id' },
    where: holds('q'),
    fields: named(['level', 'licenseFamily', 'license'], 'q', {
      id: 'q.ref',
      validFrom: moment('lower(q.valid)'),
      terms: keyed('_terms', 'q.term_set_id')
    })
  },
  PermissionTerm: {
    from: 'term u',
    select: {},
    fields: named(['use', 'layer', 'decision', 'attribution', 'shareAlike'], 'u', {
      price: inline({ amountMinor: 'u.price_minor', currency: 'u.currency' })
    })
  },
  LineageEdge: {
    from: 'lineage_edge e',
    select: { _id: 'e.id' },
    where: `${holds('e')} AND e.status <> 'REJECTED' AND e.registration <> 'REFUSED'`,
    fields: named(['kind', 'status'], 'e', {
      id: 'e.ref',
      child: keyed('_child', 'e.child_id'),
      parent: keyed('_parent', 'e.parent_id')
    })
  },
  ProvenanceEvent: {
    from: 'provenance_event g',
    select: { _id: 'g.id' },
    fields: named(['sequence', 'kind', 'hash'], 'g', { id: 'g.ref', at: moment('g.at') })
  },
  Media: {
    from: 'media m',
    select: { _id: 'm.id' },
    where: "m.role <> 'SOURCE'",
    fields: named(['role', 'sha256', 'mimeType'], 'm', { id: 'm.ref' })
  }
}

TABLES.Dossier = {
  ...TABLES.Asset,
  fields: {
    release: inline(TABLES.Asset.fields),
    version: VERSION_KEY,
    manifest: VERSION_KEY,
    ...Object.fromEntries(
      ['versions', 'policy', 'credits', 'splits', 'parents', 'children', 'provenance'].map((name) => [name, ASSET_KEY])
    )
  }
}

// The orders of pages: the tag and the key of their cursors, as in db/orders.py.
const NEWEST = { tag: 'ne', key: 'created_at', send: 'timestamptz_send', direction: 'DESC' }
const OLDEST = { tag: 'ol', key: 'created_at', send: 'timestamptz_send', direction: 'ASC' }
const POSITION = { tag: 'po', key: 'position', send: 'int4send', direction: 'ASC' }
const NUMBERED = { tag: 'nu', key: 'number', send: 'int4send', direction: 'DESC' }
const SEQUENCE = { tag: 'se', key: 'sequence', send: 'int4send', direction: 'ASC' }

// -- what is asked for, read off the document once per place in it -----------------------------------------------------

/** The fields under some nodes, fragments opened: name -> nodes. Names mean one thing in all the kinds of asset. */
function asked (nodes, fragments, into = new Map()) {
  for (const node of nodes) {
    for (const selection of node.selectionSet?.selections ?? []) {
      if (selection.kind !== 'Field') {
        asked([selection.kind === 'InlineFragment' ? selection : fragments[selection.name.value]], fragments, into)
      } else if (into.has(selection.name.value)) {
        into.get(selection.name.value).push(selection)
      } else {
        into.set(selection.name.value, [selection])
      }
    }
  }
  return into
}

/** What to select of a table for the fields under some nodes: its columns by name, and the joins they need. */
function selected (table, nodes, fragments) {
  const columns = { ...table.select }
  const take = (fields, under) => {
    for (const [name, inner] of asked(under, fragments)) {
      const place = fields[name]
      if (typeof place === 'string') columns[name] = place
      else if (place?.inline) take(place.inline, inner)
      else if (place) Object.assign(columns, place)
    }
  }
  take(table.fields, nodes)
  return columns
}

const list = (columns) => Object.entries(columns).map(([name, sql]) => `${sql} AS "${name}"`).join(', ')
const names = (columns, alias) => Object.keys(columns).map((name) => `${alias}."${name}"`).join(', ')

function tableOf (table, columns) {
  const sql = Object.values(columns).join(' ')
  const joins = Object.entries(table.joins ?? {}).filter(([alias]) => sql.includes(alias)).map(([, join]) => join)
  return [table.from, ...joins].join(' ')
}

const where = (...conditions) => `WHERE ${conditions.filter(Boolean).join(' AND ')}`

const statements = new Map()

/** A statement by its text: named, so that each connection plans it once; what else is given belongs to that text. */
function statement (text, more = {}) {
  if (!statements.has(text)) statements.set(text, { name: `s${statements.size}`, text, ...more })
  return statements.get(text)
}

/**
 * Remember what `make` answers per place in a document. Documents are parsed once, so their nodes are good keys.
 * (Mercurius asks once for two aliases of a field of one row: they would share the columns of the first.)
 */
function perPlace (make) {
  const made = new WeakMap()
  return (info) => {
    const node = info.fieldNodes[0]
    let answer = made.get(node)
    if (answer === undefined) made.set(node, (answer = make(info.fieldNodes, info.fragments)))
    return answer
  }
}

// -- loaders -----------------------------------------------------------------------------------------------------------

async function told () {
  const input = createInterface({ input: process.stdin })
  input.once('close', () => process.exit())
  const { host, port, user, database } = JSON.parse((await once(input, 'line'))[0])
  return { host, port: Number(port), user, database }
}

const { SOCKET, DATABASE = 'casset', PGUSER = 'casset_owner' } = process.env
const target = SOCKET ? { host: SOCKET, port: 5432, user: PGUSER, database: DATABASE } : await told()

pg.types.setTypeParser(1009, (text) => (text === '{}' ? [] : text.slice(1, -1).split(','))) // text[]: words of vocabularies

const pool = new pg.Pool({
  ...target,
  max: 8,
  pipeline: true,
  idleTimeoutMillis: 0,
  application_name: 'mercurius',
  // Generic plans: these are as good as custom ones, and custom ones took half of PostgreSQL's time to make.
  options: '-c role=casset_app -c jit=off -c TimeZone=UTC -c statement_timeout=5s -c plan_cache_mode=force_generic_plan'
})

// What is asked in one turn of the event loop, by all requests, goes down pipelined connections, a few statements on
// each: a third less of PostgreSQL's time and a tenth less of ours than `pool.query`, one statement a round trip.
const TOGETHER = 8
let waiting = []

function run (config) {
  return new Promise((resolve, reject) => {
    if (waiting.push({ config, resolve, reject }) === 1) setImmediate(send)
  })
}

function send () {
  const all = waiting
  waiting = []
  for (let i = 0; i < all.length; i += TOGETHER) pipeline(all.slice(i, i + TOGETHER))
}

async function pipeline (batch) {
  let client
  try {
    client = await pool.connect()
  } catch (error) {
    for (const { reject } of batch) reject(error)
    return
  }
  await Promise.all(batch.map(({ config, resolve, reject }) => client.query(config).then(resolve, reject)))
  client.release()
}

/** What Mercurius tells rows apart by: else it would serialise each of them whole, once per relation. */
function rowKey () {
  return this._id
}

async function rowsOf (prepared, values) {
  const { rows } = await run({ name: prepared.name, text: prepared.text, values })
  for (let i = 0; i < rows.length; i++) rows[i].toJSON = rowKey
  return rows
}

/** A loader: `plan` makes the statement for a place in a document, `read` runs it for distinct keys -> key to value. */
function relation (key, plan, read, absent) {
  const planned = perPlace(plan)

  async function load (queries) {
    const groups = new Map()
    for (const { obj, params, info } of queries) {
      const id = obj[key]
      if (id === null) continue
      const prepared = planned(info)
      const name = params.first === undefined ? prepared.name : `${prepared.name} ${params.first}`
      let group = groups.get(name)
      if (group === undefined) groups.set(name, (group = { prepared, params, ids: new Set(), found: null }))
      group.ids.add(id)
    }
    await Promise.all(
      Array.from(groups.values(), async (group) => {
        group.found = await read(group.prepared, Array.from(group.ids), group.params)
      })
    )
    const only = groups.size === 1 ? groups.values().next().value : null
    return queries.map(({ obj, params, info }) => {
      const id = obj[key]
      if (id === null) return absent
      const name = () => (params.first === undefined ? planned(info).name : `${planned(info).name} ${params.first}`)
      return (only ?? groups.get(name())).found.get(id) ?? absent
    })
  }

  // An interface has a loader for each of its kinds: what they are asked in one tick is one batch.
  const gathering = Symbol(key)
  return {
    opts: { cache: false },
    loader (queries, ctx) {
      let batch = ctx[gathering]
      if (batch === undefined) {
        batch = ctx[gathering] = { queries: [], answers: null }
        batch.answers = new Promise((resolve) => {
          process.nextTick(() => {
            ctx[gathering] = undefined
            resolve(load(batch.queries))
          })
        })
      }
      const start = batch.queries.length
      batch.queries = start === 0 ? queries : batch.queries.concat(queries)
      const end = batch.queries.length
      return batch.answers.then((answers) => (end - start === answers.length ? answers : answers.slice(start, end)))
    }
  }
}

const array = (ids) => `{${ids.join(',')}}`

/** At most one row of a type by a key. */
function toOne (type, key, { by = 'id', condition = TABLES[type].where } = {}) {
  const table = TABLES[type]
  const column = `${table.from.split(' ')[1]}.${by}`
  return relation(
    key,
    (nodes, fragments) => {
      const columns = { _key: column, ...selected(table, nodes, fragments) }
      return statement(
        `SELECT ${list(columns)} FROM ${tableOf(table, columns)} ${where(`${column} = ANY ($1::uuid[])`, condition)}`
      )
    },
    async (prepared, ids) => {
      const found = new Map()
      for (const row of await rowsOf(prepared, [array(ids)])) found.set(row._key, row)
      return found
    },
    null
  )
}

/** All the rows of a type by a key, in order. */
function toMany (type, key, { by, order }) {
  const table = TABLES[type]
  const alias = table.from.split(' ')[1]
  return relation(
    key,
    (nodes, fragments) => {
      const columns = { _key: `${alias}.${by}`, ...selected(table, nodes, fragments) }
      return statement(
        `SELECT ${list(columns)} FROM ${tableOf(table, columns)} ` +
        `${where(`${alias}.${by} = ANY ($1::uuid[])`, table.where)} ORDER BY ${alias}.${order}, ${alias}.id`
      )
    },
    async (prepared, ids) => {
      const found = new Map(ids.map((id) => [id, []]))
      for (const row of await rowsOf(prepared, [array(ids)])) found.get(row._key).push(row)
      return found
    },
    []
  )
}

const EMPTY = { edges: [], nodes: [], pageInfo: { hasNextPage: false, endCursor: null } }

/** A release, and what its version that is out holds, as far as it is shown. */
const WORKS =
  'SELECT k.id UNION ALL SELECT a.id FROM release r JOIN release_item i ON i.version_id = r.current_version_id ' +
  `JOIN asset a ON a.id = i.asset_id WHERE r.id = k.id AND ${REACHED} AND ${SHOWN}`

/** A page of rows of a type by a key; of `works` where they belong to any of those. */
function page (type, key, { by, order, condition = TABLES[type].where, works = false }) {
  const table = TABLES[type]
  const alias = table.from.split(' ')[1]
  return relation(
    key,
    (nodes, fragments) => {
      const parts = asked(nodes, fragments)
      const edges = asked(parts.get('edges') ?? [], fragments)
      const info = asked(parts.get('pageInfo') ?? [], fragments)
      const columns = selected(table, [...(parts.get('nodes') ?? []), ...(edges.get('node') ?? [])], fragments)
      const cursor = (of, key_, id) =>
        `translate(encode('\\x${Buffer.from(order.tag).toString('hex')}'::bytea || ${order.send}(${of}.${key_}) || ` +
        `uuid_send(${of}.${id}), 'base64'), E'+/=\\n', '-_')`
      const sort = `ORDER BY ${alias}.${order.key} ${order.direction}, ${alias}.id ${order.direction}`
      const rows = (select) =>
        `SELECT ${select} FROM ${tableOf(table, columns)} ${where(works ? `${alias}.${by} IN (${WORKS})` : `${alias}.${by} = k.id`, condition)} ${sort} LIMIT $2`
      const every = edges.has('cursor')
      const keys = { _id: columns._id, _sort: `${alias}.${order.key}` }
      let inner
      if (every) {
        inner = rows(list({ ...columns, ...keys, cursor: cursor(alias, order.key, 'id') }))
      } else if (info.has('endCursor')) {
        // Only of the last row of the page: a cursor is dear.
        inner =
          `SELECT ${names({ ...columns, ...keys }, 'l')}, CASE WHEN rn = least(found, $3::int) ` +
          `THEN ${cursor('l', '_sort', '_id')} END AS cursor ` +
          'FROM (SELECT c.*, row_number() OVER () AS rn, count(*) OVER () AS found ' +
          `FROM (${rows(list({ ...columns, ...keys }))}) AS c) AS l`
      } else {
        inner = rows(list({ ...columns, ...keys }))
      }
      const output = every || info.has('endCursor') ? { ...columns, cursor: true } : columns
      return statement(
        `SELECT k.id AS _key, ${names(output, 'p')} FROM unnest($1::uuid[]) AS k (id) CROSS JOIN LATERAL (${inner}) AS p ` +
        `ORDER BY k.id, p._sort ${order.direction}, p._id ${order.direction}`,
        { every, end: info.has('endCursor'), edges: parts.has('edges'), info: parts.has('pageInfo') }
      )
    },
    async (prepared, ids, { first }) => {
      const size = first ?? DEFAULT_PAGE
      if (size < 1 || size > LARGEST_PAGE) throw new Error(`first must be from 1 to ${LARGEST_PAGE}, not ${size}.`)
      const limit = prepared.info ? size + 1 : size
      const values = prepared.end && !prepared.every ? [array(ids), limit, size] : [array(ids), limit]
      const found = new Map()
      for (const row of await rowsOf(prepared, values)) {
        const rows = found.get(row._key)
        if (rows === undefined) found.set(row._key, [row])
        else rows.push(row)
      }
      for (const [id, rows] of found) {
        const more = rows.length > size
        if (more) rows.length = size
        found.set(id, {
          nodes: rows,
          edges: prepared.edges ? rows.map((row) => ({ cursor: row.cursor, node: row })) : null,
          pageInfo: prepared.info ? { hasNextPage: more, endCursor: rows[rows.length - 1].cursor } : null
        })
      }
      return found
    },
    EMPTY
  )
}

const HELD_BY_LISTED = `EXISTS (SELECT FROM asset a WHERE a.id = h.track_id AND ${LISTED} AND ${SHOWN})`
const HOOK_READ =
  `(EXISTS (SELECT FROM asset a WHERE a.id = h.track_id AND ${SHOWN}) OR EXISTS (SELECT FROM release l ` +
  'JOIN asset y ON y.id = l.id JOIN asset z ON z.id = h.track_id ' +
  'WHERE l.lead_hook_id = h.id AND y.teased AND y.owner_id = z.owner_id))'
const TRACK = `${REACHED} AND a.kind = 'TRACK'`
const ASSET_LOADERS = {
  owner: toOne('Artist', '_owner'),
  policy: toOne('PermissionPolicy', '_asset', {
    by: 'subject_id',
    condition: `q.level = 'ASSET' AND ${TABLES.PermissionPolicy.where}`
  }),
  credits: page('Credit', '_asset', { by: 'asset_id', order: POSITION }),
  splits: page('Split', '_asset', { by: 'asset_id', order: POSITION }),
  media: page('Media', '_asset', { by: 'asset_id', order: OLDEST }),
  parents: page('LineageEdge', '_asset', { by: 'child_id', order: OLDEST }),
  children: page('LineageEdge', '_asset', { by: 'parent_id', order: OLDEST }),
  provenance: page('ProvenanceEvent', '_asset', { by: 'subject_id', order: SEQUENCE })
}
const loaders = {
  Track: ASSET_LOADERS,
  Sample: ASSET_LOADERS,
  Instrument: ASSET_LOADERS,
  Release: {
    ...ASSET_LOADERS,
    hook: toOne('Hook', '_hook', { condition: HOOK_READ }),
    currentVersion: toOne('ReleaseVersion', '_version'),
    items: page('ReleaseItem', '_version', { by: 'version_id', order: POSITION })
  },
  Dossier: {
    version: toOne('ReleaseVersion', '_version'),
    versions: page('ReleaseVersion', '_asset', { by: 'release_id', order: NUMBERED }),
    manifest: toOne('ReleaseManifest', '_version'),
    policy: ASSET_LOADERS.policy,
    credits: page('Credit', '_asset', { by: 'asset_id', order: POSITION, works: true }),
    splits: page('Split', '_asset', { by: 'asset_id', order: POSITION, works: true }),
    parents: page('LineageEdge', '_asset', { by: 'child_id', order: OLDEST, works: true }),
    children: page('LineageEdge', '_asset', { by: 'parent_id', order: OLDEST, works: true }),
    provenance: ASSET_LOADERS.provenance
  },
  World: {
    theme: toOne('Theme', '_theme'),
    visualWorld: toOne('VisualWorld', '_visual'),
    leadHook: toOne('Hook', '_hook', { condition: HELD_BY_LISTED }),
    releases: page('Asset', '_id', { by: 'owner_id', order: NEWEST, condition: `a.kind = 'RELEASE' AND ${LISTED}` })
  },
  Hook: { track: toOne('Asset', '_track', { condition: TRACK }) },
  ReleaseItem: { asset: toOne('Asset', '_asset') },
  Credit: { contributor: toOne('Contributor', '_contributor'), asset: toOne('Asset', '_asset') },
  Split: { contributor: toOne('Contributor', '_contributor'), asset: toOne('Asset', '_asset') },
  LineageEdge: { child: toOne('Asset', '_child'), parent: toOne('Asset', '_parent') },
  PermissionPolicy: { terms: toMany('PermissionTerm', '_terms', { by: 'term_set_id', order: 'position' }) }
}

// -- roots -------------------------------------------------------------------------------------------------------------

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const VALUES = new Int8Array(128).fill(-1)
for (let i = 0; i < ALPHABET.length; i++) VALUES[ALPHABET.charCodeAt(i)] = i

/** Read a TypeID: [kind, uuid in hexadecimal]. */
function parseRef (text) {
  const at = text.lastIndexOf('_')
  const kind = text.slice(0, Math.max(at, 0)).toUpperCase()
  if (KINDS[kind] === undefined || text.length - at !== 27 || text.charCodeAt(at + 1) > 55) {
    throw new Error(`'${text}' is not the id of an asset.`)
  }
  let hex = ''
  let bits = 0
  let held = 0
  for (let i = at + 1; i < text.length; i++) {
    const value = VALUES[text.charCodeAt(i)] ?? -1
    if (value < 0) throw new Error(`'${text}' is not the id of an asset.`)
    held = (held << 5) | value
    bits += i === at + 1 ? 3 : 5 // 26 letters hold 130 bits: the first two are always 0
    while (bits >= 4) {
      bits -= 4
      hex += ((held >> bits) & 15).toString(16)
    }
    held &= 15
  }
  return [kind, hex]
}

const planOf = (table) => perPlace((nodes, fragments) => {
  const columns = selected(table, nodes, fragments)
  const moved = '(SELECT new_id FROM merge WHERE old_id = $1::uuid AND upper_inf(known) AND upper_inf(valid))'
  return statement(
    `SELECT ${list(columns)} FROM ${tableOf(table, columns)} ` +
    where(`a.id = coalesce(${moved}, $1::uuid)`, 'a.kind = $2', READ)
  )
})
const assetPlan = planOf(TABLES.Asset)
const dossierPlan = planOf(TABLES.Dossier)
const worldPlan = perPlace((nodes, fragments) => {
  const columns = selected(TABLES.World, nodes, fragments)
  return statement(`SELECT ${list(columns)} FROM artist w WHERE w.handle = $1`)
})

async function assetById (id, info, wanted, plan = assetPlan) {
  const [kind, uuid] = parseRef(id)
  if (wanted !== undefined && kind !== wanted) throw new Error(`'${id}' is the id of another kind.`)
  return (await rowsOf(plan(info), [uuid, kind]))[0] ?? null
}

const same = (row) => row
const resolvers = {
  Query: {
    asset: (_, { id }, __, info) => assetById(id, info),
    release: (_, { id }, __, info) => assetById(id, info, 'RELEASE'),
    dossier: (_, { releaseId }, __, info) => assetById(releaseId, info, 'RELEASE', dossierPlan),
    world: async (_, { handle }, __, info) => (await rowsOf(worldPlan(info), [handle.toLowerCase()]))[0] ?? null
  },
  Asset: { resolveType: (row) => KINDS[row._kind] },
  Dossier: { release: same },
  World: { artist: same },
  Theme: { seed: same, tokens: same },
  PermissionTerm: { price: (row) => (row.amountMinor === null ? null : row) }
}

// -- the server --------------------------------------------------------------------------------------------------------

const app = fastify({ logger: false })
app.register(mercurius, {
  schema: SCHEMA,
  resolvers,
  loaders,
  jit: 1,
  graphiql: false,
  // Enums and specified scalars come from columns that can hold nothing else.
  compilerOptions: { disableLeafSerialization: true, disablingCapturingStackErrors: true }
})
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? process.env.PORT ?? 0) })
console.log(app.server.address().port)

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, async () => {
    await app.close()
    await pool.end()
    process.exit()
  })
}
