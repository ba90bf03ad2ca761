// graphql-eslint over schema.graphql: the recommended rules for schemas, and Relay's. None is switched off; what follows
// the spreads narrows two of them, each with its reason, and eslint-suppressions.json holds the two fields that
// no-typename-prefix misjudges: `Release.releases` is `Asset.releases`, named by the interface, and
// `Release.releaseKind` would as `kind` collide with `Artist.kind` wherever a search selects both.
import graphql from '@graphql-eslint/eslint-plugin'

const { rules: recommended } = graphql.configs['flat/schema-recommended']
const { rules: relay } = graphql.configs['flat/schema-relay']

export default [
  {
    files: ['schema.graphql'],
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: 'schema.graphql' } } },
    plugins: { '@graphql-eslint': graphql },
    rules: {
      ...recommended,
      ...relay,
      // A list may hold what is no edge: `nodes(ids:)` is `[Node]!`, and a refusal's `path` is `[String!]!`.
      '@graphql-eslint/relay-edge-types': ['error', { listTypeCanWrapOnlyEdgeType: false }],
      // What has an id can be fetched again by it. These cannot: they are values of what holds them.
      '@graphql-eslint/strict-id-in-types': [
        'error',
        {
          exceptions: {
            suffixes: ['Connection', 'Edge', 'Error', 'Success'],
            types: [
              'ActivityUpdate',
              'Asking',
              'AttributionCredit',
              'Blocker',
              'Change',
              'ChangeFeed',
              'CirculationSummary',
              'Clearing',
              'CommonAncestor',
              'Conflict',
              'DiscoverySummary',
              'Dossier',
              'DossierParticipation',
              'Drift',
              'EdgeStanding',
              'Evidence',
              'IntegrityCheck',
              'JobUpdate',
              'LicenseDrift',
              'LineagePath',
              'LineageStep',
              'LineageWalk',
              'LogConsistency',
              'LogInclusion',
              'LyricLine',
              'Lyrics',
              'LyricWord',
              'ManifestPreview',
              'LicenseNeed',
              'LicensePayment',
              'PaymentShare',
              'MediaSeed',
              'MusicalLayer',
              'MusicAnalysis',
              'PageInfo',
              'ParticipationSnapshot',
              'PermissionTerm',
              'Playback',
              'PresenceChange',
              'Price',
              'ReleaseDna',
              'ReleaseAnchor',
              'ReleaseDrift',
              'ReleaseLack',
              'ReleaseManifest',
              'Replay',
              'Resolution',
              'RightsUpdate',
              'Rolodex',
              'RoomEventNow',
              'RoomNow',
              'RoomPerson',
              'RoomPresence',
              'RitualMemory',
              'RitualParticipation',
              'RoomStanding',
              'Route',
              'Settlement',
              'SplitPreview',
              'ThemeDetails',
              'SuggestedColour',
              'ThemeSeed',
              'ThemeTokens',
              'TimeWindow',
              'TimingLayer',
              'Upkeep',
              'Verdict',
              'VerdictChange',
              'VerdictChanges',
              'VersionIntegrity',
              'WalkedAsset',
              'Viewer', // whoever asks: its `account` has the id
              'World', // the public face of an artist: two types with one id would collide in the caches of clients
            ],
          },
        },
      ],
    },
  },
]
