// `npm run test:browser`: the tests in test/browser, which look at pages and mails in a real browser without a window.
// Enter: --only PATTERN. Leaves: the test runner's output and its exit code.
import { installBrowser } from './browser.ts'
import { runTestScript } from './run-test-script.ts'

const HELP = `npm run test:browser                   the tests that need Chromium; installs Debian's when there is none
npm run test:browser -- --only page    only the files with this in their path`

process.exitCode = await runTestScript({ help: HELP, files: 'test/browser/**/*.test.ts', install: installBrowser })
