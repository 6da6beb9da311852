// `npm run test:mutations`: rules of the adapters are broken in a copy of the code, and tests against a real broker must notice.
// Those that need no broker are broken in `npm test`. Enter: --help. Leaves: the test runner's output and its exit code.
import { runTestScript } from './run-test-script.ts'

const HELP = `npm run test:mutations    breaks rules that are kept where Kafka is met, one at a time, in a copy of the code, and expects a test to fail`

process.exitCode = await runTestScript({ help: HELP, files: 'test/mutations/*.test.ts' })
