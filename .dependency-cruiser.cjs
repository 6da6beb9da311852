// The borders of the house, held by `npm run check:borders`. The arrays are what a new room or package is added to.

/** Rooms that hand back values: no clock, no file, no socket, no package that does I/O. */
const PURE_ROOMS = [
  'services/forwarder/(breaker|connection-desk|connection-health|copy-record|decide-next|delivery|due-queue|fifo)\\.ts',
  'services/forwarder/(idempotency-key|intake|lanes|offset-map|outcome|partition-task)\\.ts',
  'services/forwarder/(choose-spill|endings|fences|lane-table|parked-versions|reception|returns|tiers)\\.ts',
  'services/forwarder/(failure-book|failure-of|judge-success|proxy|read-failure|read-words|render-request|reread-change)\\.ts',
  'services/forwarder/(retry-after|slots|token-desk|watchdog|why-waits)\\.ts',
  'services/forwarder/(authenticate|render-payload)/',
  'services/cli/(apply|get)/',
  'services/cli/publish/(change-key|generate-load|glance-at-form|publish-arguments|read-case-file)\\.ts',
  'services/cli/dead-letters/(describe-value|export-letter|fit-table|judge-letter|letter|letter-case|letter-filter)\\.ts',
  'services/cli/dead-letters/(newer-versions|plan-purge|plan-requeue|printable|read-moment|render-(letter|list|receipt))\\.ts',
  'services/cli/dead-letters/(requeue-arguments|requeue-record|tally-letters)\\.ts',
  'services/shared/(address-guard|assert-never|change|coded-error|dead-letter-reason|duration|error-text|ids|instant)\\.ts',
  'services/shared/(lane-case|nearest|safe-text)\\.ts',
  'services/notifier/(decide-mail|decide-notices|decide-page|memory|rate-limit)\\.ts',
  'services/shared/mail/(?!read-templates)',
  'services/shared/notices/',
  'services/shared/forwarding/(?!secret-source|config-topic)',
  'services/shared/kafka/(co-partition-assigner|murmur2|plan-topics|share-numbers|start-position|error-text)\\.ts',
  'services/shared/registry/(avro-|encode-change|logical-types)',
  'services/shared/(read-change|wire)/',
]

/** What a pure room may use of Node itself: computation, no outside world. */
const PURE_NODE_MODULES = ['buffer', 'util', 'string_decoder', 'url', 'querystring', 'crypto', 'zlib']

/** Rooms of ours that do something outside: a pure room may know their types, and call none. */
const OUTSIDE_ROOMS = [
  'services/forwarder/(attempt|conceal|configuration|credentials|dead-letter|dial|exchange|failure-records)\\.ts',
  'services/forwarder/(open-tunnel|park|proven-remotes|report|schema-desk|tell|tls-material|trace-tell|watch-consumer|watch-tls)\\.ts',
  'services/notifier/(mailer|notice-store|stop-page|webhook)\\.ts',
  'services/shared/mail/read-templates\\.ts',
  'services/shared/(clock|guarded-lookup|log|metrics|settings|status-server|stop-signals|traces)\\.ts',
  'services/shared/forwarding/(secret-source|config-topic)\\.ts',
  'services/shared/kafka/(admin|appender|group|kafka|membership|producer|reader|topic-fetcher|topics)\\.ts',
  'services/shared/registry/schema-registry\\.ts',
]

/** The forwarder's I/O rooms: main.ts opens each, and hands it to the hub. */
const WIRED_BY_MAIN = [
  ...['attempt', 'conceal', 'configuration', 'credentials', 'dead-letter', 'failure-records', 'proven-remotes'],
  ...['park', 'report', 'schema-desk', 'tell', 'tls-material', 'trace-tell', 'watch-consumer', 'watch-tls'],
]

/** One door per package that does I/O, or that we may want to change for another. */
const DOORS = [
  { packages: ['kafkajs', 'lz4js', 'snappyjs'], door: 'services/shared/kafka/' },
  { packages: ['@kafkajs/confluent-schema-registry', 'avsc'], door: 'services/shared/registry/' },
  { packages: ['undici'], door: 'services/(forwarder/|notifier/webhook\\.ts)' },
  { packages: ['ipaddr.js'], door: 'services/(forwarder/proxy|shared/address-guard)\\.ts' },
  { packages: ['yaml'], door: '(services/shared/forwarding|deploy/(check|helm))/' },
  { packages: ['nodemailer'], door: 'services/shared/mail/mailer\\.ts' },
  { packages: ['prom-client'], door: 'services/shared/metrics\\.ts' },
  { packages: ['@opentelemetry/api'], door: 'services/shared/traces\\.ts' },
]

const anyOf = (patterns) => `^(${patterns.join('|')})`
const packagePath = (names) => `^node_modules/(${names.map((name) => name.replaceAll('.', '\\.')).join('|')})/`

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'services-never-import-each-other',
      comment: 'What two services need is in services/shared.',
      severity: 'error',
      from: { path: '^services/(?!shared/)([^/]+)/' },
      to: { path: '^services/', pathNot: ['^services/$1/', '^services/shared/'] },
    },
    {
      name: 'shared-knows-no-service',
      severity: 'error',
      from: { path: '^services/shared/' },
      to: { path: '^services/(?!shared/)' },
    },
    {
      name: 'services-know-neither-tests-nor-deployment',
      severity: 'error',
      from: { path: '^services/' },
      to: { path: '^(test|deploy)/' },
    },
    {
      name: 'deployment-knows-no-tests',
      severity: 'error',
      from: { path: '^deploy/' },
      to: { path: '^test/' },
    },
    {
      name: 'pure-rooms-compute',
      comment: 'A pure room takes values and returns values: what it needs from outside is handed in.',
      severity: 'error',
      from: { path: anyOf(PURE_ROOMS) },
      to: { dependencyTypes: ['core'], pathNot: `^(node:)?(${PURE_NODE_MODULES.join('|')})$` },
    },
    {
      name: 'pure-rooms-call-nothing-outside',
      severity: 'error',
      from: { path: anyOf(PURE_ROOMS) },
      to: { path: anyOf(OUTSIDE_ROOMS), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'only-the-notifiers-main-wires',
      comment: 'As in the forwarder.',
      severity: 'error',
      from: { path: '^services/notifier/', pathNot: '^services/notifier/main\\.ts' },
      to: {
        path: '^services/notifier/(mailer|notice-store|stop-page|webhook)\\.ts',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'only-main-wires',
      comment: 'Rooms never call each other: the hub asks, a room hands back a value.',
      severity: 'error',
      from: { path: '^services/forwarder/', pathNot: '^services/forwarder/(main|try-connection)\\.ts' },
      to: {
        path: `^services/forwarder/(${WIRED_BY_MAIN.join('|')})\\.ts`,
        dependencyTypesNot: ['type-only'],
      },
    },
    ...DOORS.map(({ packages, door }) => ({
      name: `one-door-for-${packages[0]}`,
      comment: `Only ${door} imports ${packages.join(', ')}.`,
      severity: 'error',
      from: { path: '^(services|deploy)/', pathNot: `^${door}` },
      to: { path: packagePath(packages) },
    })),
    {
      name: 'services-run-without-development-packages',
      severity: 'error',
      from: { path: '^services/' },
      to: { dependencyTypes: ['npm-dev'] },
    },
    {
      name: 'no-circles',
      comment: 'Types may refer to each other; code that runs may not.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'every-import-resolves',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
}
