// `npm run check:image`: what deploy/Dockerfile makes, made without a container engine and run as a container would run it.
// Enter: nothing. Leave: the test runner's output and its exit code.
import { runTestScript } from '../local/run-test-script.ts'

const HELP = `npm run check:image    does the steps of deploy/Dockerfile in .cache/image, then runs the services from there: as another user,
                       on a file system that is mounted read-only, against a real broker. As root it mounts; anybody else runs
                       a copy without write permission, and is told so.

Exit codes: 0 all is well, 1 something is wrong, 2 the arguments are.`

process.exitCode = await runTestScript({ help: HELP, files: 'test/image/*.test.ts' })
