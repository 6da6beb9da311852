// What looks at the chart. Versions are exact: a newer one may say something new of what nobody changed.
import { goTool } from './go-tool.ts'

export const HELM = goTool({ name: 'helm', version: '4.2.4', package: 'helm.sh/helm/v4/cmd/helm' })

export const HELM_UNITTEST = goTool({
  name: 'helm-unittest',
  version: '1.1.2',
  package: 'github.com/helm-unittest/helm-unittest/cmd/helm-unittest',
  module: 'helm-unittest',
})

export const HELM_DOCS = goTool({
  name: 'helm-docs',
  version: '1.14.2',
  package: 'github.com/norwoodj/helm-docs/cmd/helm-docs',
})

export const KUBECONFORM = goTool({
  name: 'kubeconform',
  version: '0.8.0',
  package: 'github.com/yannh/kubeconform/cmd/kubeconform',
})
