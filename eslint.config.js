// Typed lint: a floating promise is a lost message, so the rules that see one are errors. Every relaxed rule says why.
import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['node_modules', '.cache', '**/*.mjs', '**/*.cjs', '*.js'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: false }],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      // Numbers in messages are what an operator reads; String(n) around each adds nothing.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // Adapters implement async interfaces without always awaiting.
      '@typescript-eslint/require-await': 'off',
      // `() => void expression` one-liners are how callbacks are written here, and `return tell(…)` ends a branch.
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      // Classes without state are not written; disposable holders with only a constructor are.
      '@typescript-eslint/no-extraneous-class': 'off',
      // while (true) with an awaited condition inside is the plainest loop there is.
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      'max-lines': ['error', { max: 300, skipBlankLines: false, skipComments: false }],
      'no-restricted-globals': [
        'error',
        { name: 'setTimeout', message: 'Time comes from the Clock that is handed in.' },
        { name: 'setInterval', message: 'Time comes from the Clock that is handed in.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "CallExpression[callee.object.name='Date'][callee.property.name='now']",
          message: 'Time comes from the Clock that is handed in.',
        },
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0]",
          message: 'Time comes from the Clock that is handed in.',
        },
        {
          selector: "MemberExpression[object.name='process'][property.name='env']",
          message: 'The environment is read in settings.ts only.',
        },
        { selector: 'TSEnumDeclaration', message: 'Unions of string literals instead of enums.' },
      ],
    },
  },
  {
    files: ['services/shared/clock.ts'],
    rules: { 'no-restricted-globals': 'off', 'no-restricted-syntax': 'off' },
  },
  {
    files: ['**/settings.ts', 'deploy/**/*.ts', 'test/**/*.ts'],
    rules: { 'no-restricted-syntax': 'off', 'no-restricted-globals': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 500, skipBlankLines: false, skipComments: false }],
      'no-restricted-properties': [
        'error',
        {
          object: 'fc',
          property: 'assert',
          message: 'holdsFor of test/support/property.ts prints and honours the seed.',
        },
      ],
      // node:test returns a promise that the runner itself awaits.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          ignoreVoid: false,
          allowForKnownSafeCalls: [
            {
              from: 'package',
              package: 'node:test',
              name: ['test', 'it', 'describe', 'suite', 'before', 'after', 'beforeEach', 'afterEach'],
            },
          ],
        },
      ],
    },
  },
  {
    files: ['test/support/property.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
)
