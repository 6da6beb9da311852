// `npm run test:servers`: the tests in test/servers, which meet software of other makers: kcat, Confluent's
// Python client, mail servers, Prometheus, and servers that ask who we are.
// Enter: --only PATTERN. Leaves: the test runner's output and its exit code.
import { installForeignClients } from './foreign-clients.ts'
import { installMailServer } from './mail-server.ts'
import { runTestScript } from './run-test-script.ts'

const HELP = `npm run test:servers                   the tests that need kcat, Apache httpd, Prometheus, mailpit and Python; installs them when missing
npm run test:servers -- --only kcat    only the files with this in their path`

process.exitCode = await runTestScript({
  help: HELP,
  files: 'test/servers/**/*.test.ts',
  install: async (progress, signal) => {
    await installForeignClients(progress, signal)
    await installMailServer(progress, signal)
  },
})
